"""Asks the hub for what its arguments name; run in a process of its own.

Prints one JSON object: for each argument the error that came, or what was loaded.
Its settings (`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE`) must stand before it starts.
"""

import json
import sys
import warnings

import numpy as np

import keras_cait
from keras_cait.weights.hub import download


def ask(source: str) -> dict[str, object]:
    """ "DeiT_Ti CLASSES [SOURCE]" builds a model, anything else is downloaded."""
    if not source.startswith("DeiT_Ti"):
        return {"file": str(download(source))}
    _, classes, weights = [*source.split(), "imagenet"][:3]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras_cait.DeiT_Ti(weights=weights, classes=int(classes))
    head = model.get_layer("head").get_weights()
    norm = model.get_layer("norm").get_weights()
    return {
        "norm": float(np.sum(norm)),
        "head": float(np.sum(head[0])),
        "warnings": [str(w.message) for w in caught if w.category is UserWarning],
    }


results = {}
for argument in sys.argv[1:]:
    try:
        results[argument] = ask(argument)
    except (OSError, ValueError) as error:
        results[argument] = {"error": type(error).__name__, "message": str(error)}
sys.stdout.write(json.dumps(results) + "\n")
