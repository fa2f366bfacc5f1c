"""Model card of a run: README.md, as people and the Hugging Face hub read it."""

import math
import platform
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import keras

import keras_cait
from keras_cait.data.image_dataset import ImageDataset
from keras_cait.files import replace_when_written
from keras_cait.processors import processors
from keras_cait.training.publishing.accuracies import accuracy_rows
from keras_cait.training.publishing.metadata import card_metadata
from keras_cait.training.publishing.run_files import CARD, saved_model
from keras_cait.training.publishing.settings_of_interest import settings_of_interest
from keras_cait.training.settings.run_settings import RunSettings

_MOST_CLASSES = 30  # that are listed by name
_USE = """\
```python
import keras
import keras_cait  # registers the layers; without it load_model raises an error

model = keras.saving.load_model("{name}")
photo = keras.utils.load_img("photo.jpg", target_size=({height}, {width}){color})
images = keras.utils.img_to_array(photo)[None]  # in [0, 255]; the model normalizes
print(keras_cait.decode_predictions(model.predict(images), top={top}, model=model))
```"""


def write_model_card(
    settings: RunSettings, data: ImageDataset, results: Mapping[str, Any], command: str
) -> None:
    """Writes the model card into the folder of a finished run."""
    text = model_card(settings, data, results, command)
    with replace_when_written(settings.output / CARD) as temporary:
        temporary.write_text(text, encoding="utf-8")


def model_card(
    settings: RunSettings, data: ImageDataset, results: Mapping[str, Any], command: str
) -> str:
    """The model card of a run, in Markdown, from facts of the run alone.

    Args:
        settings: All settings of the run.
        data: Its images.
        results: Results of the recipe: accuracies in [0, 1], "model", "parameters",
            "image_shape" and "seconds".
        command: The command of the run, from `command_line`.

    """
    height, width, channels = results["image_shape"]
    gray = channels == 1
    use = _USE.format(
        name=saved_model(settings.output).name,
        height=height,
        width=width,
        color=', color_mode="grayscale"' if gray else "",
        top=min(5, len(data.class_names)),
    )
    parts = (
        f"---\n{card_metadata(settings, data, results).to_yaml()}\n---",
        f"# {results['model']} trained on {_escaped(data.name)}",
        f"A classifier of {'gray' if gray else 'RGB'} images of {height} x {width} "
        f"pixels, with {len(data.class_names)} classes and {results['parameters']:,} "
        "parameters, trained by a recipe of keras_cait.",
        f"## Use\n\n{use}",
        f"## Accuracy\n\n{_accuracy(data, results)}",
        "![Test accuracy and training loss by epoch](curves.png)",
        f"## Data\n\n{_data(settings, data)}",
        f"## Training\n\n{_training(settings, results, command)}",
        "## Intended use and limits",
        "\n".join(f"- {line}" for line in _limits(settings, data)),
    )
    return "\n\n".join(parts) + "\n"


def _accuracy(data: ImageDataset, results: Mapping[str, Any]) -> str:
    rows = list(accuracy_rows(results))
    own, number = rows[0][0], data.test.number
    error = 100 * math.sqrt(own * (1 - own) / number)
    table = "\n".join(f"| {100 * value:.2f} % | {text} |" for value, text in rows)
    return (
        f"On {number:,} test images, which this run did not train on:\n\n"
        f"| top-1 accuracy | |\n|---|---|\n{table}\n\n"
        f"One image is {100 / number:.2f} %"
        + (f", the standard error of the first row {error:.1f} %" if error else "")
        + ". The weights are those of the last epoch; none was chosen by its accuracy."
    )


def _data(settings: RunSettings, data: ImageDataset) -> str:
    if settings.dataset is None and settings.data_dir is not None:
        source = f"a folder of images, {_escaped(data.name)}"
    elif settings.dataset in (None, "digits"):
        source = "the handwritten digits of scikit-learn"
    else:
        source = f"{_escaped(data.name)}, of TensorFlow Datasets"
    split = "its test images"
    if settings.validation_split is not None:
        part = f"{100 * settings.validation_split:g} % of each class"
        split = f"{part}, drawn with seed {settings.split_seed}"
    elif settings.test_split is not None:
        split = f"its part {_escaped(settings.test_split)}"
    names = [_escaped(name) for name in data.class_names[:_MOST_CLASSES]]
    if len(data.class_names) > _MOST_CLASSES:
        names.append("... (`keras_cait.class_names_of(model)` has all)")
    limit = ""
    if settings.limit is not None:
        limit = f" At most {settings.limit:,} of each were taken."
    return (
        f"Source: {source}. Trained on {data.train.number:,} images, measured on "
        f"{data.test.number:,}: {split}.{limit}\n\n"
        f"{len(data.class_names)} classes: {', '.join(names)}."
    )


def _training(settings: RunSettings, results: Mapping[str, Any], command: str) -> str:
    rows = "\n".join(
        f"| {name} | {_quoted(value)} |"
        for name, value in settings_of_interest(settings)
    )
    minutes, seconds = divmod(round(results["seconds"]), 60)
    took = "The last process of the run took" if settings.resume else "The run took"
    return (
        f"    {command}\n\n{took} {minutes} min {seconds} s on {_hardware()}, with "
        f"{_versions()}.\n\n| setting that is on | |\n|---|---|\n{rows}"
    )


def _hardware() -> str:
    devices = keras.distribution.list_devices()
    if devices[0].startswith("cpu"):
        return f"{processors()} CPU cores"
    return f"{len(devices)} {devices[0].partition(':')[0].upper()}"


def _versions() -> str:
    backend = keras.backend.backend()
    return (
        f"Python {platform.python_version()}, Keras {keras.__version__} on {backend} "
        f"{import_module(backend).__version__}, keras_cait {keras_cait.__version__}"
    )


def _limits(settings: RunSettings, data: ImageDataset) -> Iterator[str]:
    if settings.smoke:
        yield "The run tried the program out (`--smoke`): the model is of no use."
    yield (
        f"The model is meant for images like those of {_escaped(data.name)}. Its "
        "accuracy on others, such as those of another camera, was not measured."
    )
    yield "It gives one of its classes to every image, also to one that shows none."
    yield (
        f"It was trained once, from seed {settings.seed}; another seed gives another "
        "accuracy."
    )
    yield (
        "Robustness, calibration, and the accuracy for different groups of people or "
        "places were not measured."
    )
    yield (
        "No license is stated, since that of the weights depends on the images. To "
        "state one, add a line `license:` above."
    )


def _escaped(text: str) -> str:
    """Text without a meaning in Markdown, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _quoted(text: str) -> str:
    """Text as code in a cell of a table."""
    return "`" + text.replace("`", "'").replace("|", r"\|") + "`"
