"""Command lines of this project, imported before `keras_cait`.

`import keras_cait` imports Keras, unless this module is there: then its public names
are imported when they are used, so that `--help` answers at once.
"""

from keras_cait.benchmarking.program import run_program
from keras_cait.cli.app import main
from keras_cait.command_line.flags import parse_flags

__all__ = ["main", "parse_flags", "run_program"]
