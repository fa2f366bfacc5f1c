"""Asks the hub for what its arguments name; run in a process of its own.

Prints one JSON object: for each argument the error that came, or what was loaded.
Its settings (`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE`) must stand before it starts.
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
    """At the same time: most of it is waiting between attempts."""
    with ThreadPoolExecutor(len(sources) or 1) as pool:
        return list(pool.map(lambda source: said(partial(file_of, source)), sources))


def file_of(source: str) -> dict[str, object]:
    """Where a download lies."""
    return {"file": str(download(source))}


def build(question: str) -> dict[str, object]:
    """ "DeiT_Ti CLASSES [SOURCE] [MEAN]": what the model has got, and what was said."""
    _, classes, *rest = question.split()
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


def said(work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What work gives, or the error that came."""
    try:
        return work()
    except (OSError, ValueError) as error:
        return {"error": type(error).__name__, "message": str(error)}


models = [argument for argument in sys.argv[1:] if argument.startswith("DeiT_Ti")]
files = [argument for argument in sys.argv[1:] if argument not in models]
results = dict(zip(files, download_all(files), strict=True))
results |= {question: said(partial(build, question)) for question in models}
sys.stdout.write(json.dumps(results) + "\n")
