"""Exports of each model in each format, and a table of the results.

`make test-export` exports the published sizes, `make test` small models. The program
`python -m tests.support.export.matrix MODEL FORMAT FOLDER` does one export and prints
its line of the table.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import keras

import keras_cait
from keras_cait.export import to_onnx, to_saved_model, to_tflite
from keras_cait.export.pipeline.outputs import DEFAULT_OUTPUTS, OUTPUTS
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.pipeline.report import ExportReport
from tests.support.export.samples import plausible

FORMATS = ("saved_model", "float32", "float16", "dynamic", "int8", "onnx")
"""SavedModel, TFLite in its four precisions, and ONNX."""

TOLERANCES = {
    "saved_model": 1e-4,
    "float32": 1e-4,
    "onnx": 1e-4,
    "float16": 2e-2,
    "dynamic": 0.1,
    "int8": 0.1,
}
"""Largest difference from Keras, relative to the largest output."""

EXACT = ("saved_model", "float32", "onnx")
"""Formats in which the predicted class of each image must stay."""


def _distilled_cait() -> keras.Model:
    return keras_cait.CaiT_XXS24(
        weights=None, distilled=True, include_preprocessing=True, name="cait_distilled"
    )


def _named(name: str, **options) -> Callable[[], keras.Model]:
    return lambda: keras_cait.create_model(
        name, weights=None, include_preprocessing=True, **options
    )


FULL: dict[str, Callable[[], keras.Model]] = {
    "DeiT_Ti_Distilled": _named("DeiT_Ti_Distilled"),
    "DeiT_S": _named("DeiT_S"),
    "CaiT_XXS24": _named("CaiT_XXS24"),
    "CaiT_XXS24, distilled": _distilled_cait,
    "CaiT_S24": _named("cait_s24_224"),
    "CaiT_S24, 384 pixels": _named("cait_s24_384"),
    "DeiT_Ti_Distilled, all outputs": _named("DeiT_Ti_Distilled"),
    "CaiT_XXS24, attention": _named("CaiT_XXS24"),
}
OUTPUTS_OF: dict[str, Sequence[str]] = {
    "DeiT_Ti_Distilled, all outputs": OUTPUTS,
    "CaiT_XXS24, attention": ("probabilities", "class_attention"),
}
"""Outputs of models that have others than the default."""


def export(
    make: Callable[[], keras.Model],
    format: str,
    path: Path,
    outputs: Sequence[str] = DEFAULT_OUTPUTS,
) -> ExportReport:
    """Exports a model in one of `FORMATS`."""
    model = plausible(make())
    if format == "saved_model":
        return to_saved_model(model, path, outputs=outputs)
    if format == "onnx":
        return to_onnx(model, path.with_suffix(".onnx"), outputs=outputs)
    representative = None
    if format == "int8":
        height, width, channels = model.input_shape[1:]
        # The first 16 are the comparison images.
        seen = photographs((height, width), number=48, channels=channels)
        representative = seen[16:]
    path = path.with_suffix(".tflite")
    return to_tflite(
        model,
        path,
        outputs=outputs,
        precision=format,
        representative=representative,
    )


def check(report: ExportReport, format: str) -> None:
    """Checks a report against the requirements of its format."""
    found = report.comparison
    assert found.relative_difference <= TOLERANCES[format]
    if format in EXACT:
        assert found.top1_agreement == 1
    assert report.largest_rank <= 4
    assert report.size_bytes > 0
    assert report.latency_ms > 0
    assert report.path.with_name(report.path.name + ".json").is_file()


def row(name: str, format: str, report: ExportReport) -> str:
    """A line of the table."""
    found = report.comparison
    return (
        f"| {name} | {format} | {report.size_bytes / 1e6:.1f} MB "
        f"| {report.latency_ms:.0f} ms | {found.relative_difference:.1g} "
        f"| {100 * found.top1_agreement:.0f} % | {sum(report.operators.values())} |"
    )


def main(name: str, format: str, folder: str) -> None:
    """Exports, checks and prints the line of one case."""
    outputs = OUTPUTS_OF.get(name, DEFAULT_OUTPUTS)
    report = export(FULL[name], format, Path(folder, "model"), outputs)
    check(report, format)
    sys.stdout.write(row(name, format, report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
