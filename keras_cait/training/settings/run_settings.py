"""What every training recipe is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from keras_cait.training.devices.strategy import make_strategy
from keras_cait.training.settings.configuration import setting
from keras_cait.training.settings.training_settings import TrainingSettings

OF_DATA = ("limit", "test_split", "validation_split", "split_seed")
"""The settings that `load_dataset` takes by their names."""


@dataclass(frozen=True, kw_only=True)
class RunConfig(TrainingSettings):
    """What every training recipe is told besides how to train."""

    preset: str | None = setting(None, "named settings to start from")
    smoke: bool = setting(False, "try everything out, in two minutes, on digits")
    dataset: str | None = setting(None, '"digits", "cifar10" or any TFDS name')
    data_dir: Path | None = setting(
        None, "folder of train/CLASS/* and val or test, or of CLASS/*"
    )
    test_split: str | None = setting(
        None, "folder or TFDS split to measure on; the first with labels"
    )
    validation_split: float | None = setting(
        None, "part of each class to measure on, of a folder without val and test"
    )
    split_seed: int = setting(0, "of the choice of that part")
    image_size: int | None = setting(None, "side in pixels that images are brought to")
    limit: int | None = setting(None, "at most so many training and test images")
    seed: int = setting(0, "of weights, order and augmentation")
    mixed_precision: Literal["none", "float16", "bfloat16"] = setting(
        "none", "what models compute in"
    )
    strategy: str = setting("auto", "auto, single, mirrored, mirrored:N, multiworker")
    worker_timeout: float = setting(300.0, "seconds to wait for TF_CONFIG's workers")
    jit: bool | None = setting(None, "compile with XLA; by default on GPUs, and by JAX")
    teacher_logits: Path | None = setting(
        None, "file that keeps what a teacher says, for the next students of one seed"
    )
    output: Path = setting(Path("run"), "folder for the results")
    overwrite: bool = setting(False, "replace the run that is in the folder")
    resume: bool = setting(False, "go on with the run in the folder, if there is one")
    checkpoint_steps: int = setting(
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
                "A run is either gone on with or replaced. Received: --resume and "
                "--overwrite"
            )


def strategy_of(config: RunConfig) -> Any:
    """Where a run computes; before anything is, so that there may be many workers."""
    return make_strategy(config.strategy, timeout=config.worker_timeout)
