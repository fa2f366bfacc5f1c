"""Report of an export, printed and written as JSON beside it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_cait.export.pipeline.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Measurements of an export that was loaded in its own runtime."""

    comparison: Comparison  # with the Keras model in float32
    latency_ms: float  # median of 20 calls with one image
    threads: int
    operators: Mapping[str, int]  # number of each kind
    largest_rank: int  # of all tensors
    passed: bool = True  # False: not as close as required, but kept by the user
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExportReport(CheckResult):
    """Description and measurements of an export."""

    path: Path  # the file, or the folder of the version
    format: str
    precision: str
    model: str
    weights: str
    image_size: tuple[int, int]  # height and width in pixels
    crop_pct: float  # part of the resized side that the crop keeps, in (0, 1]
    interpolation: str
    input: str
    mean: tuple[float, ...]  # per channel, of images in [0, 1]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None
    compared: str  # the comparison images
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
