"""Settings that all training recipes share."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from keras_cait.command_line.flags import option
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.training_settings import TrainingSettings

DATA_SETTINGS = ("limit", "test_split", "validation_split", "split_seed")
"""The settings that are arguments of `load_dataset` too."""


@dataclass(frozen=True, kw_only=True)
class RunSettings(TrainingSettings, ImageSource):
    """Settings of a run: data, devices and output, besides those of the training."""

    group: ClassVar[str] = "Run"

    preset: str | None = option(None, "named settings to start from")
    smoke: bool = option(False, "try everything out on digits, within two minutes")
    image_size: int | None = option(None, "side of the images in pixels")
    limit: int | None = option(None, "largest number of training and of test images")
    seed: int = option(0, "random seed of weights, order and augmentation")
    mixed_precision: Literal["none", "float16", "bfloat16"] = option(
        "none", "compute type of the models"
    )
    strategy: str = option("auto", "auto, single, mirrored, mirrored:N, multiworker")
    worker_timeout: float = option(300.0, "seconds to wait for TF_CONFIG's workers")
    jit: bool | None = option(None, "compile with XLA; by default on GPUs, and by JAX")
    teacher_logits: Path | None = option(
        None, "file that stores the teacher's logits for later runs with the same seed"
    )
    output: Path = option(Path("run"), "folder for the results")
    overwrite: bool = option(False, "replace the run in the folder")
    resume: bool = option(False, "continue the run in the folder, if there is one")
    checkpoint_steps: int = option(
        500, "steps between checkpoints, besides the end of each epoch"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("limit", "image_size", "checkpoint_steps"):
            value = getattr(self, name)
            self._check(name, value is None or value >= 1, "1 or more")
        self._check("worker_timeout", self.worker_timeout > 0, "above 0")
        if self.resume and self.overwrite:
            raise ValueError(
                "A run is either continued or replaced. Received: --resume and "
                "--overwrite"
            )
