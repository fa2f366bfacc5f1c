"""Settings of the programs that measure a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from keras_cait.command_line.flags import flag_names, option
from keras_cait.range_check import check_range

Runtime = Literal[
    "predict",
    "graph",
    "xla",
    "jax",
    "saved_model",
    "saved_model_jpeg",
    "tflite",
    "onnxruntime",
]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

Way = Literal["tensorflow_xla", "tensorflow_auto", "tensorflow_graph", "jax"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Settings of the programs that measure a model."""

    model: str = option("CaiT_XXS24", "a builder's name, or sizes of a CaiT")
    image_size: int = option(224, "side of the images in pixels")

    def __post_init__(self) -> None:
        check_range(self.image_size > 0, "above 0", image_size=self.image_size)

    def flags(self) -> list[str]:
        """The command line that gives these settings."""
        flags: list[str] = []
        for flag, value in zip(
            flag_names(type(self)), vars(self).values(), strict=True
        ):
            values = value if isinstance(value, list | tuple) else [value]
            flags += [flag, *map(str, values)] if value is not None else []
        return flags


@dataclass(frozen=True, kw_only=True)
class CallSettings(ModelSettings):
    """Settings of the programs that measure repeated calls of a model."""

    batch_sizes: tuple[int, ...] = option((1, 8), "images a call")
    precision: Literal["float32", "float16", "bfloat16"] = option(
        "float32", "float32, or Keras's mixed precision"
    )
    seconds: float = option(3.0, "duration of a measurement")

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.batch_sizes
        check_range(min(sizes) > 0, "above 0", batch_sizes=sizes)
        check_range(self.seconds > 0, "above 0", seconds=self.seconds)


@dataclass(frozen=True, kw_only=True)
class InferenceSettings(CallSettings):
    """Settings of a measurement of inference."""

    runtimes: tuple[Runtime, ...] = option(RUNTIMES, "runtimes to measure")
    files: Path | None = option(None, "folder that keeps the exported files")


@dataclass(frozen=True, kw_only=True)
class TrainingStepSettings(CallSettings):
    """Settings of a measurement of training steps."""

    batch_sizes: tuple[int, ...] = option((8,), "images a step")
    ways: tuple[Way, ...] = option(WAYS, "ways to run a step")
