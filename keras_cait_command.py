"""The command `keras-cait`, imported before `keras_cait`.

`import keras_cait` imports Keras, unless this module is there: then its public names
are imported when they are used, so that `keras-cait --help` answers at once.
"""

from keras_cait.cli.app import main

__all__ = ["main"]
