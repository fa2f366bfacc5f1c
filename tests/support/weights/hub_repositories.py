"""Loading from the hub, run in a process of its own.

Arguments are sources to download or builds of models. The program prints one JSON
object with the result or the error of each. The hub client reads its settings
(`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE`) from the environment when it starts.
"""

import dataclasses
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

import keras_cait
from keras_cait.weights.readers.hub import download


def download_all(sources: Sequence[str]) -> list[dict[str, object]]:
    """Downloads in parallel, since attempts mostly wait."""
    with ThreadPoolExecutor(len(sources) or 1) as pool:
        return list(
            pool.map(lambda source: result_of(partial(file_of, source)), sources)
        )


def file_of(source: str) -> dict[str, object]:
    """Path of a download."""
    return {"file": str(download(source))}


def build(request: str) -> dict[str, object]:
    """Builds "DeiT_Ti CLASSES [SOURCE] [MEAN]"; returns its values and warnings."""
    _, classes, *rest = request.split()
    weights = rest[0] if rest else "imagenet"
    explicit = None
    if len(rest) > 1:
        explicit = keras_cait.Preprocessing(mean=(float(rest[1]),) * 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras_cait.DeiT_Ti(
            weights=weights, classes=int(classes), preprocessing=explicit
        )
    preprocessing = keras_cait.preprocessing_for(model)
    class_names = keras_cait.class_names_of(model)
    head = model.get_layer("head").get_weights()
    norm = model.get_layer("norm").get_weights()
    return {
        "norm": float(np.sum(norm)),
        "head": float(np.sum(head[0])),
        "preprocessing": dataclasses.asdict(preprocessing),
        "class_names": class_names and class_names[:2],
        "warnings": [str(w.message) for w in caught if w.category is UserWarning],
    }


def result_of(work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """The result of a function, or its error."""
    try:
        return work()
    except (OSError, ValueError) as error:
        return {"error": type(error).__name__, "message": str(error)}


models = [argument for argument in sys.argv[1:] if argument.startswith("DeiT_Ti")]
files = [argument for argument in sys.argv[1:] if argument not in models]
results = dict(zip(files, download_all(files), strict=True))
results |= {request: result_of(partial(build, request)) for request in models}
sys.stdout.write(json.dumps(results) + "\n")
