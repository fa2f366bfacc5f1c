"""Top-1 agreement and size of a trained model in float16 and 8 bits.

    python -m tests.full_size.tflite_agreement MODEL.keras DIR

exports a model in float32 and int8, with representative images of DIR/train, and runs
both on images of DIR/test (JPEG or PNG in class folders, such as CIFAR-10). It fails
if fewer than 99 % of them keep the class that the Keras model predicts, or if int8
takes more than 30 % of float32's size. `--precisions float16 dynamic int8` prints
a row for each; float16 is not held to that size.
"""
# ruff: noqa: T201 (it reports on stdout)

import argparse
import sys
import tempfile
from pathlib import Path

import keras

from keras_cait.export.pipeline.comparison_images import images_of
from keras_cait.export.pipeline.report import ExportReport
from keras_cait.export.to_tflite import PRECISIONS, to_tflite
from keras_cait.models.published.preprocessing import preprocessing_for


def exports(model: keras.Model, options: argparse.Namespace) -> list[ExportReport]:
    """Export reports of the model in float32 and in fewer bits, on test images."""
    images = images_of(
        options.data / "test",
        preprocessing_for(model),
        channels=model.input_shape[-1],
        most=options.images,
    )
    with tempfile.TemporaryDirectory() as folder:
        return [
            to_tflite(
                model,
                Path(folder, f"{precision}.tflite"),
                precision=precision,
                representative=options.data / "train" if precision == "int8" else None,
                images=images,
            )
            for precision in ("float32", *options.precisions)
        ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a .keras file of a recipe")
    parser.add_argument("data", type=Path, help="train/CLASS/* and test/CLASS/*")
    parser.add_argument(
        "--precisions", nargs="+", choices=PRECISIONS[1:], default=["int8"]
    )
    parser.add_argument("--images", type=int, default=10_000, help="test images")
    parser.add_argument("--agreement", type=float, default=0.99, help="at least")
    parser.add_argument("--size", type=float, default=0.30, help="of float32, at most")
    options = parser.parse_args()
    model = keras.models.load_model(options.model, compile=False)
    whole, *smaller = exports(model, options)
    print(
        f"{options.model}, {model.count_params() / 1e6:.1f} M parameters, on "
        f"{whole.comparison.images} images of {options.data / 'test'}"
    )
    print("| precision | same class | difference | size | of float32 |")
    print("|---|---|---|---|---|")
    kept = True
    for report in (whole, *smaller):
        found, ratio = report.comparison, report.size_bytes / whole.size_bytes
        print(
            f"| {report.precision} | {100 * found.top1_agreement:.2f} % "
            f"| {found.relative_difference:.1g} | {report.size_bytes / 1e6:.2f} MB "
            f"| {100 * ratio:.1f} % |"
        )
        small = ratio <= options.size or report.precision in ("float32", "float16")
        kept &= small and found.top1_agreement >= options.agreement
    print(
        f"{'Kept' if kept else 'MISSED'}: at least {100 * options.agreement:g} % keep "
        f"their class, at most {100 * options.size:g} % of float32's size."
    )
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
