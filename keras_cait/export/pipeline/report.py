"""Report of an export, printed and written as JSON beside it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_cait.export.pipeline.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Measurements of an export that was loaded in its own runtime.

    Attributes:
        comparison: Comparison of its outputs with those of the Keras model in float32.
        latency_ms: Median of 20 calls with one image, in milliseconds.
        threads: Number of threads of these calls.
        operators: Number of operators of each kind in its graph.
        largest_rank: Largest rank of its tensors.
        passed: Whether it is as close as required. If not, the user has kept it anyway.
        details: Further facts of the format.
    """

    comparison: Comparison
    latency_ms: float
    threads: int
    operators: Mapping[str, int]
    largest_rank: int
    passed: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExportReport(CheckResult):
    """Description and measurements of an export.

    Attributes:
        path: The file, or the folder of the version.
        format: "saved_model", "tflite" or "onnx".
        precision: Precision of the weights and activations.
        model: Name of the Keras model.
        weights: Source of its weights, if stated.
        image_size: Height and width of its images, in pixels.
        crop_pct: Part of the resized image's side that the crop keeps, in (0, 1].
        interpolation: Interpolation of the resizing.
        input: Description of the input.
        mean: Channel means of images in [0, 1], subtracted by the normalization.
        std: Channel standard deviations of images in [0, 1].
        labels: Names of the classes, if known.
        compared: Description of the comparison images.
        size_bytes: Size on disk.
    """

    path: Path
    format: str
    precision: str
    model: str
    weights: str
    image_size: tuple[int, int]
    crop_pct: float
    interpolation: str
    input: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None
    compared: str
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """All fields for JSON; those of the comparison are on the top level."""
        values = dataclasses.asdict(self)
        values |= values.pop("comparison")
        return {**values, "path": str(self.path)}

    def __str__(self) -> str:
        """A table with one fact a line."""
        found = self.comparison
        kinds = sorted(self.operators.items(), key=lambda item: -item[1])
        operators = f"{sum(self.operators.values())}: " + ", ".join(
            f"{count} {kind}" for kind, count in kinds
        )
        rows: dict[str, Any] = {
            "exported": f"{self.model} to {self.path}, {self.precision}",
            "takes": self.input,
            "compared with Keras": f"{found.images} images: {self.compared}",
            "largest difference": f"{found.largest_difference:.2g} "
            f"({found.relative_difference:.2g} of the largest output)",
            "same likeliest class": f"{100 * found.top1_agreement:.1f} %",
            "passed": "yes" if self.passed else "NO, kept all the same",
            "size": f"{self.size_bytes / 1e6:.1f} MB",
            "latency": f"{self.latency_ms:.1f} ms an image, {self.threads} threads",
            "operators": operators,
            "largest rank": self.largest_rank,
            **self.details,
        }
        width = max(map(len, rows))
        return "\n".join(f"{name:{width}}  {value}" for name, value in rows.items())


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
