"""The images that a training draws, and those of them that cannot be read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from keras_cait.data.batches import training_keys
from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.sources.unreadable_images import Candidates, naming_unreadable
from keras_cait.training.settings.training_settings import TrainingSettings

_READ_AHEAD = 8  # batches that a backend may take before it trains on them


def drawing_of(settings: TrainingSettings, data: ImageDataset) -> dict[str, Any]:
    """What decides which images the batches hold, and in which order."""
    names = ("epochs", "seed", "repeats", "accumulation_steps")
    drawing = {name: getattr(settings, name) for name in names}
    return drawing | {"batch_size": min(settings.batch_size, data.train.number)}


def naming_drawn(
    settings: TrainingSettings, data: ImageDataset, step: Callable[[], int]
) -> AbstractContextManager[None]:
    """Names the image behind an error: of the next batches, or to measure on.

    Args:
        settings: Of the training.
        data: Its images.
        step: Gives the number of steps that are done.

    """

    def candidates() -> Candidates:
        drawing = drawing_of(settings, data)
        keys = training_keys(
            data.train, **drawing, first_step=step(), number=_READ_AHEAD
        )
        return (data.train, keys), (data.test, data.test.in_order())

    return naming_unreadable(
        candidates,
        "Replace it by an image, and start again with --resume: checkpoints are kept.",
    )
