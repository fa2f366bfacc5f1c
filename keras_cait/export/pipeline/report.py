"""Report of an export, printed and written as JSON beside it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_cait.export.pipeline.class_attention import MapOrder
from keras_cait.export.pipeline.comparison import Comparison, OutputComparison, worst


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Measurements of an export that was loaded in its own runtime."""

    # Each output by name, compared with that of the Keras model in float32.
    outputs: Mapping[str, OutputComparison]
    latency_ms: float  # median of 20 calls with one image
    threads: int
    operators: Mapping[str, int]  # number of each kind
    largest_rank: int  # of all tensors
    passed: bool = True  # False: not as close as required, but kept by the user
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def comparison(self) -> Comparison:
        """The largest difference of all outputs, and the lowest agreement."""
        return worst(list(self.outputs.values()))


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
    class_attention: MapOrder | None  # if it is an output
    compared: str  # the comparison images
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """All fields for JSON; those of the comparison are on the top level."""
        found = self.comparison
        overall = {each.name for each in dataclasses.fields(Comparison)}
        return {
            **dataclasses.asdict(self),
            **{name: getattr(found, name) for name in sorted(overall)},
            "path": str(self.path),
        }

    def __str__(self) -> str:
        """A table with one fact a line."""
        kinds = sorted(self.operators.items(), key=lambda item: -item[1])
        operators = f"{sum(self.operators.values())}: " + ", ".join(
            f"{count} {kind}" for kind, count in kinds
        )
        rows: dict[str, Any] = {
            "exported": f"{self.model} to {self.path}, {self.precision}",
            "takes": self.input,
            "compared with Keras": f"{self.comparison.images} images: {self.compared}",
            **{name: _line(each) for name, each in self.outputs.items()},
            "passed": "yes" if self.passed else "NO, kept all the same",
            "size": f"{self.size_bytes / 1e6:.1f} MB",
            "latency": f"{self.latency_ms:.1f} ms an image, {self.threads} threads",
            "operators": operators,
            "largest rank": self.largest_rank,
            **self.details,
        }
        if self.class_attention is not None:
            rows["maps"] = f"{self.class_attention}, in the order block * heads + head"
        width = max(map(len, rows))
        return "\n".join(f"{name:{width}}  {value}" for name, value in rows.items())


def _line(found: OutputComparison) -> str:
    """Shape and difference of one output."""
    shape = ", ".join(map(str, ("batch", *found.shape)))
    line = (
        f"({shape}), largest difference {found.largest_difference:.2g} "
        f"({found.relative_difference:.2g} of the largest value)"
    )
    if found.top1_agreement is None:
        return line
    return f"{line}, same likeliest class {100 * found.top1_agreement:.1f} %"


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
