"""What is said of an export, in print and beside it on disk."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_cait.export.pipeline.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What was exported, what it was compared with, and what it costs.

    Attributes:
        path: The file, or the folder of the version.
        format: "saved_model", "tflite" or "onnx".
        precision: What weights and activations are kept in.
        model: Name of the Keras model.
        weights: Where its weights came from, as far as was said.
        image_size: Height and width of its images, in pixels.
        crop_pct: Part of the resized image's side that the crop keeps, in (0, 1].
        interpolation: How images are resized.
        input: What it takes.
        mean: Of each channel of images in [0, 1], that normalizing takes off.
        std: Standard deviation likewise.
        labels: Names of the classes, if they were given.
        compared: What the comparison was made on.
        comparison: Of its outputs with the Keras model's in float32.
        size_bytes: On disk.
        latency_ms: Median of 20 calls with one image, in milliseconds.
        threads: That they used.
        operators: Of its graph: how many of each kind.
        largest_rank: Of its tensors.
        passed: Whether it is as near as it must be; if not, someone kept it anyway.
        details: What the format has to say besides.
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
    comparison: Comparison
    size_bytes: int
    latency_ms: float
    threads: int
    operators: Mapping[str, int]
    largest_rank: int
    passed: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All of it, the comparison's numbers beside the others, ready for JSON."""
        values = dataclasses.asdict(self)
        values |= values.pop("comparison")
        return {**values, "path": str(self.path)}

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    def show(self) -> None:
        """Prints it."""
        sys.stdout.write(f"{self}\n")

    def __str__(self) -> str:
        """A line for each thing that a person asks."""
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
    """Bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
