"""Writes a trained model as a TFLite file for phones.

python export/to_tflite.py CaiT_XXS24 --output OUTPUT
"""

import os
import sys
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.export.command import main as export


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the export; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return export(["--format", "tflite", *given], description=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
