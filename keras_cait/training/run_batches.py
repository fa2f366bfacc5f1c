"""Batches of a run: training images, test images, and sampled training images."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras

from keras_cait.data.batches import (
    evaluation_batches,
    training_batches,
    training_keys,
)
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.labeled_images import RandomSubset
from keras_cait.data.permutation import ORDER_VERSION
from keras_cait.data.sources.unreadable_images import (
    Candidates,
    name_unreadable_candidates,
)
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.training.devices.worker_agreement import distribute
from keras_cait.training.input_pipeline import (
    evaluation_transform,
    mixing_of,
    training_transforms,
)
from keras_cait.training.run import Run
from keras_cait.training.settings.run_settings import DATA_SETTINGS, RunSettings
from keras_cait.training.settings.training_settings import BATCH_SETTINGS
from keras_cait.training.teachers.cached_logits import cached_teacher_logits
from keras_cait.training.teachers.teacher import Teacher

_READ_AHEAD = 8  # batches that a backend may take before it trains on them


def batches_of_training_images(
    run: Run, settings: RunSettings, teacher: Teacher | None, first_step: int
) -> Any:
    """All batches of a training from a step on.

    They hold the teacher's logits if the settings name a file for these.
    """
    batches: Any = training_batches(
        run.data.train,
        training_transforms(settings, run.image_shape),
        **_order(run, settings),
        mixing=mixing_of(settings),
        classes=run.classes,
        first_step=first_step,
        shard=run.shard,
    )
    if teacher is None or settings.teacher_logits is None:
        return distribute(run.strategy, batches)
    return cached_teacher_logits(
        batches,
        teacher,
        settings.teacher_logits,
        key=_cache_key(run, settings),
        first_step=first_step,
    )


def batches_of_test_images(
    run: Run, model: keras.Model, *, shared: bool = False
) -> Any:
    """The test images, resized and cropped as a model was published.

    If `shared`, all workers evaluate the model together, each on a part.
    """
    transform, size = _evaluation_transform(run, model), run.batch_size
    if not shared:
        return evaluation_batches(run.data.test, transform, size)
    batches = evaluation_batches(run.data.test, transform, size, shard=run.shard)
    return distribute(run.strategy, batches, size=size // run.shard.count)


def batches_of_sampled_images(run: Run, model: keras.Model, number: int) -> Any:
    """Training images drawn by the run's seed, prepared as test images are."""
    images: Any = RandomSubset(run.data.train, number, run.config.seed)
    return evaluation_batches(images, _evaluation_transform(run, model), run.batch_size)


def naming_unreadable_images(
    run: Run, settings: RunSettings, step: Callable[[], int]
) -> AbstractContextManager[None]:
    """Adds the name of an unreadable image to the error of a training.

    `step` returns the number of batches that are done.
    """

    def candidates() -> Candidates:
        train, test = run.data.train, run.data.test
        order = _order(run, settings)
        keys = training_keys(train, **order, first_step=step(), number=_READ_AHEAD)
        return (train, keys), (test, test.in_order())

    resume = "Replace it by an image, and resume from the checkpoints with --resume."
    return name_unreadable_candidates(candidates, resume)


def _order(run: Run, settings: RunSettings) -> dict[str, Any]:
    """The arguments that decide which images a batch holds."""
    names = ("epochs", "seed", "repeats", "accumulation_steps")
    order = {name: getattr(settings, name) for name in names}
    return order | {"batch_size": min(settings.batch_size, run.data.train.number)}


def _cache_key(run: Run, settings: RunSettings) -> dict[str, Any]:
    """All that the images of the batches depend on."""
    return {
        **{name: getattr(settings, name) for name in BATCH_SETTINGS},
        **{name: getattr(run.config, name) for name in DATA_SETTINGS},
        "dataset": run.data.name,
        "images": run.data.train.number,
        "order_version": ORDER_VERSION,
        "seed": settings.seed,
    }


def _evaluation_transform(run: Run, model: keras.Model) -> EvaluationTransform:
    preprocessing = preprocessing_or_default(model)
    return evaluation_transform(run.config, run.image_shape, preprocessing)
