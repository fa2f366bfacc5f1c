"""Facts about a model: sizes, operations, preprocessing, source."""

from typing import Any

from keras_cait.models.published.flops import flops
from keras_cait.models.published.preprocessing import preprocessing_or_default
from keras_cait.models.published.registry import create_model, find_variant
from keras_cait.models.published.saved_models import load_saved_model


def information(name: str) -> dict[str, Any]:
    """Facts about a model of a builder's or timm's name, or of a `.keras` file."""
    published: dict[str, Any] = {}
    if name.endswith(".keras"):
        model = load_saved_model(name)
    else:
        variant = find_variant(name)
        model = create_model(name, weights=None)
        published = {
            "builder": variant.name,
            "weights": [f"hf://{row.hub_id}" for row in variant.checkpoints],
            "source": variant.source,
            **variant.sizes,
        }
    preprocessing = preprocessing_or_default(model)
    is_fixed = None not in model.input_shape[1:]
    return {
        "name": model.name,
        **published,
        "input": [size or "any" for size in model.input_shape[1:]],
        "output": list(model.output_shape[1:]),
        "parameters": model.count_params(),
        "multiply_adds": flops(model) // 2 if is_fixed else None,
        "crop_pct": preprocessing.crop_pct,
        "interpolation": preprocessing.interpolation,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
    }
