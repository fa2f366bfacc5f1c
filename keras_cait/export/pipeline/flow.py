"""Export flow of all formats: prepare, write, reload, compare, report, rename."""

import abc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from keras_cait.export.pipeline.comparison_images import images_to_compare
from keras_cait.export.pipeline.output_paths import export_target
from keras_cait.export.pipeline.outputs import DEFAULT_OUTPUTS
from keras_cait.export.pipeline.preparation import PreparedModel, prepare
from keras_cait.export.pipeline.report import CheckResult, ExportReport, size_on_disk
from keras_cait.optional_packages import import_optional
from keras_cait.terminal.steps import begin_step, steps_shown


class ExportFormat(abc.ABC):
    """Steps of an export that depend on the format."""

    name: ClassVar[str]
    suffix: ClassVar[str | None] = None  # None for a folder
    packages: ClassVar[tuple[str, ...]] = ()  # optional
    photograph_size: ClassVar[tuple[int, int] | None] = None  # None: the model's
    comparison_note: ClassVar[str] = ""
    precision: str = "float32"
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS

    def prepare(self, model: keras.Model, **description: Any) -> PreparedModel:
        """Prepares a model with the outputs; see `prepare` for the description."""
        return prepare(model, outputs=self.outputs, **description)

    def input_description(self, prepared: PreparedModel) -> str:
        """The input of the export, for the report."""
        return prepared.input_description

    @abc.abstractmethod
    def write(self, prepared: PreparedModel, path: Path) -> None:
        """Writes the export."""

    @abc.abstractmethod
    def check(
        self, prepared: PreparedModel, path: Path, pixels: np.ndarray
    ) -> CheckResult:
        """Reloads the export in its own runtime and compares it with the Keras model.

        The pixels are the comparison images, in [0, 255]. Raises `ValueError` if the
        export is not valid, or differs by too much.
        """


def export_model(
    format: ExportFormat,
    model: keras.Model,
    path: Path,
    *,
    labels: Sequence[str] | None,
    images: np.ndarray | Path | str | None,
    weights: str,
    overwrite: bool = False,
    verbose: bool,
) -> ExportReport:
    """Exports a model; the export and its report appear after all checks passed."""
    for package in format.packages:
        import_optional(package, "export")
    # The target first: nothing is computed if it cannot be written.
    with (
        export_target(path, suffix=format.suffix, overwrite=overwrite) as target,
        steps_shown(verbose),
    ):
        begin_step(f"preparing {model.name}")
        prepared = format.prepare(model, labels=labels, weights=weights)
        pixels, compared = images_to_compare(prepared, images, format.photograph_size)
        begin_step(f"writing {path}")
        format.write(prepared, target.artifact)
        begin_step(f"comparing {path} with Keras")
        result = format.check(prepared, target.artifact, pixels)
        report = ExportReport(
            path=path,
            format=format.name,
            precision=format.precision,
            **prepared.report_fields,
            input=format.input_description(prepared),
            compared=compared + format.comparison_note,
            size_bytes=size_on_disk(target.artifact),
            **vars(result),
        )
        target.report.write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    if verbose:
        sys.stdout.write(f"{report}\n")
    return report
