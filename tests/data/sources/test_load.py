"""Loading of digits and of data sets of TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.batches import training_batches
from keras_cait.data.images.decoding import decode
from keras_cait.data.sources.load import load_dataset, load_test_images


def all_of(images):
    """Every record and label."""
    pairs = [images.read(key) for key in images.in_order()]
    records, labels = zip(*pairs, strict=True)
    return np.stack([np.asarray(record) for record in records]), np.array(labels)


def test_digits_are_split_alike_each_time():
    one, two = load_dataset(), load_dataset("digits")
    (images, labels), (others, other_labels) = (all_of(d.test) for d in (one, two))
    np.testing.assert_array_equal(images, others)
    np.testing.assert_array_equal(labels, other_labels)
    assert len(labels) == one.test.number
    assert np.bincount(labels).min() > 0.8 * one.test.number / 10


def test_digits_in_training_and_test_differ():
    digits = load_dataset("digits")
    train, test = (all_of(part)[0] for part in (digits.train, digits.test))
    assert not {x.tobytes() for x in train} & {x.tobytes() for x in test}


def test_a_limit_holds_for_training_and_test_images():
    digits = load_dataset("digits", limit=40)
    assert (digits.train.number, digits.test.number) == (40, 40)
    assert all_of(digits.train)[0].shape == (40, 8, 8, 1)


SHARDS = 8


def store(folder, name, splits, shape=(10, 10, 3), **options):
    """A real data set in the files of TensorFlow Datasets, of three classes."""
    import tensorflow_datasets as tfds

    def examples(labels):
        images = np.full((len(labels), *shape), 7, np.uint8)
        images[:, 0, 0, 0] = np.arange(len(labels))
        pairs = tf.data.Dataset.from_tensor_slices((images, labels))
        return pairs.map(lambda image, label: {"image": image, "label": label})

    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=folder,
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=shape),
                "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
            }
        ),
        split_datasets={
            split: examples(np.array(labels)) for split, labels in splits.items()
        },
        **options,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    many, three, none = np.arange(200) % 3, np.arange(6) % 3, [-1] * 6
    store(folder, "tiny_images", {"train": np.arange(12) % 3, "test": three})
    sharded = tfds.download.DownloadConfig(num_shards=SHARDS)
    splits = {"train": many, "test": [-1] * 50, "validation": np.arange(50) % 3}
    store(folder, "many_files", splits, download_config=sharded)
    store(folder, "no_labels", {"train": many, "test": none, "val": none})
    store(folder, "wrong", {"train": [0, 1, 2, -1, 2, -1], "test": three})
    return folder


@pytest.fixture
def kept_in_files(monkeypatch):
    """Treats sets as too large for memory."""
    for name, value in (("MEMORY_LIMIT", 1), ("_BLOCK", 4000), ("_PIECE", 400)):
        monkeypatch.setattr(f"keras_cait.data.sources.tfds.{name}", value)


def test_a_small_set_of_tensorflow_datasets_is_kept_in_memory(prepared):
    data = load_dataset("tiny_images", data_dir=prepared, limit=9)
    assert data.class_names == ("a", "b", "c")
    assert (data.train.number, data.test.number) == (9, 6)
    assert data.image_shape == (10, 10, 3)
    images, labels = all_of(data.train)
    assert isinstance(images[0], bytes)  # encoded as they are in the files
    np.testing.assert_array_equal(decode(tf.constant(images[0]))[1:], 7)
    assert labels.dtype == np.int64


@pytest.mark.parametrize("limit", [None, pytest.param(77, marks=pytest.mark.slow)])
def test_a_large_set_stays_in_its_files(prepared, limit, request):
    names = {"data_dir": prepared, "limit": limit}
    held = load_dataset("many_files", **names)
    request.getfixturevalue("kept_in_files")
    data = load_dataset("many_files", **names)
    assert len({shard.path for shard in data.train.shards}) == (4 if limit else SHARDS)
    for one, other in ((held.train, data.train), (held.test, data.test)):
        for found, expected in zip(all_of(one), all_of(other), strict=True):
            np.testing.assert_array_equal(found, expected)
    transforms = [lambda record, seed: decode(record)]
    batches = training_batches(data.train, transforms, 10, epochs=2, seed=0)
    found = [labels.numpy() for _, labels in batches]
    number = data.train.number // 10 * 10
    assert np.concatenate(found).shape == (2 * number,)
    rest = training_batches(data.train, transforms, 10, epochs=2, seed=0, first_step=9)
    np.testing.assert_array_equal([labels for _, labels in rest], found[9:])


@pytest.mark.parametrize("large", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_first_split_with_labels_is_the_test_split(prepared, large, request):
    """imagenet2012's and i_naturalist2018's test images have labels of -1."""
    if large:
        request.getfixturevalue("kept_in_files")
    data = load_dataset("many_files", data_dir=prepared)
    assert set(all_of(data.test)[1]) == {0, 1, 2}
    names, images = load_test_images("many_files", data_dir=prepared)
    np.testing.assert_array_equal(all_of(images)[1], all_of(data.test)[1])
    assert names == data.class_names
    named = {"data_dir": prepared, "test_split": "test"}
    with pytest.raises(ValueError, match=r"50 labels of the split test .* them -1"):
        load_dataset("many_files", **named)
    assert load_dataset("tiny_images", **named).test.number == 6
    with pytest.raises(ValueError, match="test, val have no labels"):
        load_dataset("no_labels", data_dir=prepared)
    with pytest.raises(ValueError, match=r"one of \['test', 'train'.*'holdout'"):
        load_dataset("many_files", data_dir=prepared, test_split="holdout")


def test_labels_of_no_class_are_refused_before_training(prepared):
    said = r"in \[0, 2\].*2 of 6 labels of the split train outside, the first .* -1"
    with pytest.raises(ValueError, match=said):
        load_dataset("wrong", data_dir=prepared)


def test_labels_of_no_class_are_refused_as_they_are_read(prepared, kept_in_files):
    """Only some labels of a large set are checked before."""
    with pytest.raises(ValueError, match="labels of the split train outside"):
        load_dataset("wrong", data_dir=prepared)
    images = load_dataset("many_files", data_dir=prepared).train
    other = load_dataset("tiny_images", data_dir=prepared).train
    labels = [int(other.read(key)[1]) for key in other.in_order()]
    assert sorted(set(labels)) == [0, 1, 2]
    record = next(iter(images.in_order()))
    example = tf.train.Example.FromString(record.numpy())
    example.features.feature["label"].int64_list.value[:] = [3]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0, 2\]"):
        images.read(tf.constant(example.SerializeToString()))


def test_another_test_split_of_digits_is_refused():
    assert load_dataset("digits", test_split="test").test.number == 500
    with pytest.raises(ValueError, match=r"must be 'test'.*'validation'"):
        load_dataset("digits", test_split="validation")


def test_an_unknown_name_gives_the_nearest_names():
    with pytest.raises(ValueError, match=r"cifra10.*Did you mean cifar10\?"):
        load_dataset("cifra10")


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="must be 1 or more"):
        load_dataset("digits", limit=0)
