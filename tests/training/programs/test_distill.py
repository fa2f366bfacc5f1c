"""Accurate teachers are accepted, guessing ones refused."""

import keras
import numpy as np
import pytest

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.labeled_images import images_in_memory
from keras_cait.training.programs.distill import (
    DistillationSettings,
    _pretrained_accuracy,
)
from keras_cait.training.run import Run
from keras_cait.training.teachers.teacher import Teacher

STEP = 20  # of brightness, between the images of two answers


def make_teacher(classes):
    """Reads its answer off the brightness of an image."""
    inputs = keras.Input((8, 8, 1))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(classes)(mean))
    answers = np.arange(classes, dtype="float32")
    model.set_weights([2 * STEP * answers[None], -((STEP * answers) ** 2)])
    return Teacher(model=model, trained=True)


def images_of(labels, answers):
    pixels = np.broadcast_to(
        STEP * answers[:, None, None, None], (len(labels), 8, 8, 1)
    )
    return images_in_memory(pixels.astype("uint8"), labels)


def accuracy(tmp_path, classes, draw, numbers):
    """What the recipe finds of a teacher; `draw` gives labels and answers."""
    data = ImageDataset(
        name="drawn",
        class_names=tuple(map(str, range(classes))),
        image_shape=(8, 8, 1),
        train=images_of(*draw(numbers[0])),
        test=images_of(*draw(numbers[1])),
    )
    config = DistillationSettings(
        output=tmp_path, augment="none", batch_size=64, teacher="mine.keras"
    )
    return _pretrained_accuracy(Run(config, data, ()), config, make_teacher(classes))


def knowing(classes, accuracy, parts=None):
    """Answers that are right on exactly that part of the images."""

    def draw(number):
        rng = np.random.default_rng(number)
        labels = np.sort(rng.choice(classes, number, p=parts))  # as folders are read
        wrong = (labels + 1) % classes
        knows = rng.permutation(number) < round(accuracy * number)
        return labels, np.where(knows, labels, wrong)

    return draw


def guessing(classes, parts, answers):
    def draw(number):
        rng = np.random.default_rng(number)
        labels = np.sort(rng.choice(classes, number, p=parts))
        return labels, rng.choice(classes, number, p=answers)

    return draw


@pytest.mark.parametrize(
    ("classes", "right", "parts", "numbers"),
    [
        (2, 0.74, None, (400, 100)),
        (2, 0.74, None, (400, 4)),  # four test images do not tell
        (2, 0.86, [0.9, 0.1], (400, 100)),  # less than the commonest class alone
        (10, 0.3, None, (300, 60)),
    ],
)
def test_an_accurate_teacher_is_accepted(tmp_path, classes, right, parts, numbers):
    found = accuracy(tmp_path, classes, knowing(classes, right, parts), numbers)
    assert found == pytest.approx(round(right * numbers[1]) / numbers[1])


@pytest.mark.parametrize("numbers", [(400, 4), (4000, 1000)])
@pytest.mark.parametrize(
    ("classes", "parts", "answers"),
    [
        (2, [0.9, 0.1], [1.0, 0.0]),  # 90 % right
        (10, None, None),
        pytest.param(2, None, None, marks=pytest.mark.slow),
    ],
)
def test_a_guessing_teacher_is_refused(tmp_path, classes, parts, answers, numbers):
    with pytest.raises(ValueError, match=r"mine\.keras.*no better than chance \(p = "):
        accuracy(tmp_path, classes, guessing(classes, parts, answers), numbers)
