"""Quantization of TFLite files to 8-bit weights, by litert-quantizer.

Ranges and biases are ours; litert-quantizer 0.11 writes the file. Share of 4,000 test
images of CIFAR-10 that keep the class of the float32 file (DeiT, 6 blocks, 96 channels,
trained for 6 epochs; 200 representative images), and the largest difference relative to
the largest output:

- dynamic: 99.48 %, 0.02
- int8 with ranges and biases of this package: 99.42 %, 0.02
- int8 with the ranges of its calibrator, which averages over the images: 99.08 %, 0.11
- its recipe with fixed ranges for every linear layer: 92.27 %, 0.52
"""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cait.export.tflite.file import (
    operator_name,
    pack,
    require_runtime,
    text_of,
    unpack,
)
from keras_cait.export.tflite.matrix_products import products_before_gelu
from keras_cait.optional_packages import import_optional
from keras_cait.terminal.captured_stderr import captured_stderr

FLOAT_OPERATORS = (
    "the patch embedding (with float16 weights), LayerNorm, softmax, GELU, the "
    "products of attention and the mixing of its heads"
)
"""Operators computed in float32. 8-bit weights of the patch embedding alone changed the
class of 0.8 to 1.0 % of 5,000 of these images, those of all linear layers together that
of 0.3 to 0.5 %."""
# Versions of operators with a scale for each channel of the weights, and the first
# version of TensorFlow Lite that has them. litert-quantizer leaves the old ones.
_VERSIONS = {"FULLY_CONNECTED": 12, "DEQUANTIZE": 3}
_RUNTIME = "2.17.0"


def quantize(
    model: Any, ranges: Mapping[int, tuple[float, float]] | None = None
) -> Any:
    """Gives linear layers 8-bit weights, with one scale for each output.

    Inputs of linear layers are quantized at run time, for each token separately, and
    their outputs are float32. Convolutions get float16 weights, which are converted to
    float32 before the first run.

    Args:
        model: A `ModelT` in float32.
        ranges: Smallest and largest value of the inputs and outputs of the products
            before GELU, by index of the tensor. Given, these products use integers
            throughout: `QUANTIZE -> FULLY_CONNECTED in int8 -> DEQUANTIZE`.

    Returns:
        Another `ModelT`.

    Example:
        >>> import keras
        >>> from keras_cait.export.tflite.conversion import convert
        >>> layers = [keras.Input((256,)), keras.layers.Dense(256)]
        >>> content = convert(keras.Sequential(layers))
        >>> len(pack(quantize(unpack(content)))) < 0.3 * len(content)
        True

    Reference:
        https://github.com/google-ai-edge/LiteRT/tree/main/litert_quantizer

    """
    types = import_optional("litert_quantizer.qtyping", "export")
    linear, granularity = types.TFLOperationName.FULLY_CONNECTED, types.QuantGranularity
    quantizer = import_optional("litert_quantizer.quantizer", "export").Quantizer(
        bytearray(pack(model))
    )
    quantizer.add_dynamic_config(".*", linear, 8)
    quantizer.add_weight_only_config(
        ".*",
        types.TFLOperationName.CONV_2D,
        16,
        granularity.TENSORWISE,
        "float_casting",
    )
    limits = None
    if ranges is not None:
        tensors = model.subgraphs[0].tensors
        limits = {
            text_of(tensors[index].name): {
                key: np.full([1] * len(tensors[index].shape), value, "float32")
                for key, value in zip(("min", "max"), both, strict=True)
            }
            for index, both in ranges.items()
        }
        for product in products_before_gelu(model):
            name = re.escape(text_of(tensors[product.output].name))
            quantizer.add_static_config(f"^{name};?$", linear, 8, 8)
    # Progress bars, and LiteRT's warning that it stores all tensors.
    with captured_stderr(), warnings.catch_warnings(action="ignore"):
        result = quantizer.quantize(
            limits, enable_progress_bar=False, enable_progress_report=False
        )
    quantized = unpack(bytes(result.quantized_model))
    for code in quantized.operatorCodes:
        code.version = max(code.version, _VERSIONS.get(operator_name(code), 0))
    require_runtime(quantized, _RUNTIME)
    return quantized
