import keras
import numpy as np
import pytest

from tests.support.models.tiny_models import tiny_deit


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"input_shape": (33, 32, 3)}, "input_shape=(33, 32, 3), patch_size=8"),
        ({"input_shape": (32, 36, 3)}, "input_shape=(32, 36, 3), patch_size=8"),
        ({"input_shape": (32, 32)}, "input_shape=(32, 32)"),
        ({"input_shape": (1, 32, 32, 3)}, "input_shape=(1, 32, 32, 3)"),
        ({"input_shape": (None, 32, 3)}, "input_shape=(None, 32, 3)"),
        ({"input_shape": (0, 32, 3)}, "input_shape=(0, 32, 3)"),
        ({"input_shape": (-32, 32, 3)}, "input_shape=(-32, 32, 3)"),
        ({"patch_size": 0}, "patch_size=0"),
        ({"embed_dim": 0}, "embed_dim=0"),
        ({"num_heads": 0}, "num_heads=0"),
        ({"num_heads": 5}, "embed_dim=32, num_heads=5"),
        ({"depth": 0}, "depth=0"),
        ({"mlp_ratio": 0}, "mlp_ratio=0"),
        ({"drop_path_rate": 1.0}, "drop_path_rate=1.0"),
        ({"drop_path_rate": -0.1, "depth": 1}, "drop_path_rate=-0.1"),
        ({"dropout_rate": 1.0}, "dropout_rate=1.0"),
        ({"attention_dropout_rate": -0.1}, "attention_dropout_rate=-0.1"),
        ({"classes": 0}, "classes=0"),
        ({"include_top": False, "pooling": "max"}, "pooling='max'"),
        ({"input_tensor": np.zeros((1, 32, 32, 3))}, "ndarray"),
    ],
    ids=str,
)
def test_a_bad_argument_is_refused_by_name(arguments, received):
    with pytest.raises(ValueError, match="Received: ") as error:
        tiny_deit(**arguments)
    assert received in str(error.value)


@pytest.mark.parametrize("shape", [(32, 48, 3), (32, 32, 1), (None, None, 3)])
def test_an_input_tensor_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"`input_tensor` must.*Received: ") as error:
        tiny_deit(input_tensor=keras.Input(shape))
    assert f"shape={(None, *shape)}" in str(error.value)
