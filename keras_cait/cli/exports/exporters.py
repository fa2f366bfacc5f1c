"""The exporter of each format, for a model of the command line."""

from collections.abc import Callable
from pathlib import Path

from keras_cait.cli.exports.settings import ExportSettings, Format, options_of
from keras_cait.export.pipeline.output_paths import check_target
from keras_cait.export.pipeline.report import ExportReport
from keras_cait.export.to_onnx import OnnxFormat, to_onnx
from keras_cait.export.to_saved_model import SavedModelFormat, to_saved_model
from keras_cait.export.to_tflite import TfliteFormat, to_tflite
from keras_cait.export.to_web import WebFormat, to_web
from keras_cait.models.published.model_source import ModelSource, load_source

EXPORTERS: dict[Format, tuple[Callable[..., ExportReport], str | None]] = {
    "saved_model": (to_saved_model, SavedModelFormat.suffix),
    "tflite": (to_tflite, TfliteFormat.suffix),
    "onnx": (to_onnx, OnnxFormat.suffix),
    "web": (to_web, WebFormat.suffix),
}
"""Exporter of each format, and suffix of its file; None for a folder."""


def prepare_export(
    format: Format, model: str, output: Path, settings: ExportSettings
) -> Callable[[], ExportReport]:
    """Loads the model; returns the function that exports it.

    The target is checked first, because a download of weights may take minutes.
    """
    export, suffix = EXPORTERS[format]
    options = options_of(settings)
    folder = str(options["version"]) if "version" in options else ""
    overwrite = bool(options.get("overwrite", False))
    check_target(output / folder, suffix=suffix, overwrite=overwrite)
    loaded = load_source(
        ModelSource(
            name=model,
            weights=settings.weights,
            classes=settings.classes,
            image_size=settings.image_size,
            labels=settings.labels,
            mean=settings.mean,
            std=settings.std,
        )
    )
    return lambda: export(
        loaded.model,
        output,
        labels=loaded.labels,
        weights=loaded.weights,
        images=settings.images,
        **options,
    )
