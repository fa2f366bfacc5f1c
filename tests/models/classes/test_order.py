import pytest

from keras_cait.models.classes.imagenet_classes import imagenet_classes, imagenet_names
from keras_cait.models.classes.order import outputs_of_classes

IDS = [wordnet_id for wordnet_id, _ in imagenet_classes()]


def test_without_names_outputs_are_the_classes():
    assert outputs_of_classes(["b", "a"], None, 2) == [0, 1]
    with pytest.raises(ValueError, match=r"have the 2 classes.*with 3 classes"):
        outputs_of_classes(["b", "a"], None, 3)


def test_names_decide_the_order():
    assert outputs_of_classes(["a", "b"], ["b", "c", "a"], 3) == [2, 0]


def test_imagenet_is_matched_by_ids_and_by_names():
    names = imagenet_names()
    assert outputs_of_classes(IDS, names, 1000) == list(range(1000))
    assert outputs_of_classes(names, names, 1000) == list(range(1000))
    assert outputs_of_classes([IDS[217], IDS[0]], names, 1000) == [217, 0]
    assert outputs_of_classes(["tench"], names, 1000) == [0]
    with pytest.raises(ValueError, match="'crane', of which the model has two"):
        outputs_of_classes(["crane"], names, 1000)


def test_missing_classes_are_listed():
    with pytest.raises(ValueError, match=r"2 of 3 that.*'x', 'y'; .* images are 'b'"):
        outputs_of_classes(["x", "a", "y"], ["a", "b"], 2)
    many = [f"class {index}" for index in range(40)]
    with pytest.raises(ValueError, match=r"'class 9' and 30 more"):
        outputs_of_classes(many, ["a"], 1)
