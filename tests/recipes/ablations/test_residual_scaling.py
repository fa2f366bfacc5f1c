import keras
import numpy as np
import pytest
from residual_scaling import (  # pyright: ignore[reportMissingImports]
    RESIDUAL_SCALINGS,
    residual_scaling_network,
    start_as_fixup,
)
from scalar_scale import ScalarScale  # pyright: ignore[reportMissingImports]

from keras_cait.layers import LayerScale
from tests.support.models.tiny_models import images, randomize, tiny_deit, to_numpy

SIZES = {"input_shape": (32, 32, 3), "patch_size": 8, "embed_dim": 32, "num_heads": 4}
ABSENT_AT_FIRST = ["rezero", "fixup"]  # whose branches add nothing before training

SLOW = pytest.mark.slow


def network(scaling, **overrides):
    keras.utils.set_random_seed(0)
    settings = {"depth": 3, "classes": 10, **SIZES, **overrides}
    return residual_scaling_network(scaling, **settings)


def stream(model, layer_names):
    """The outputs of layers, for the same images always."""
    outputs = [model.get_layer(name).output for name in layer_names]
    found = keras.Model(model.input, outputs)(images(2, 32, 32, 3))
    return [to_numpy(output) for output in found]


def moved(model, steps):
    """Which kinds of weights of the blocks so many steps moved, in every block."""
    before = {w.path: to_numpy(w) for w in model.weights}
    optimizer = keras.optimizers.SGD(1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
    for _ in range(steps):
        model.train_on_batch(images(8, 32, 32, 3), np.arange(8))
    kinds = {}
    for weight in model.weights:
        layer, _, name = weight.path.partition("/")
        kind = "scale" if "scale" in layer else name
        if layer.startswith("block") and (kind == "scale" or "kernel" in kind):
            changed = bool(np.any(to_numpy(weight) != before[weight.path]))
            kinds.setdefault(kind, set()).add(changed)
    assert all(len(changed) == 1 for changed in kinds.values()), kinds
    return {kind for kind, changed in kinds.items() if True in changed}


@pytest.mark.parametrize("scaling", RESIDUAL_SCALINGS)
def test_scales_of_one_equal_deit(scaling):
    deit = randomize(tiny_deit())
    model = network(scaling)
    values = {weight.path: weight for weight in deit.weights}
    for weight in model.weights:
        value = values.pop(weight.path, None)
        weight.assign(np.ones(weight.shape) if value is None else value)
    assert not values
    x = images(2, 32, 32, 3)
    np.testing.assert_allclose(to_numpy(model(x)), to_numpy(deit(x)), atol=1e-6)


@pytest.mark.parametrize("scaling", RESIDUAL_SCALINGS)
def test_each_scaling_adds_its_weights(scaling):
    a_branch = {"none": 0, "layer_scale": 32}.get(scaling, 1)
    added = network(scaling).count_params() - tiny_deit().count_params()
    assert added == 2 * 3 * a_branch


@pytest.mark.parametrize(("scaling", "start"), [("rezero", 0), ("fixup", 1)])
def test_scalars_start_at_the_published_values(scaling, start):
    scales = [x for x in network(scaling).layers if isinstance(x, ScalarScale)]
    assert [float(to_numpy(scale.gamma)) for scale in scales] == 6 * [start]


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("scaling", ABSENT_AT_FIRST)
def test_branches_of_rezero_and_fixup_start_at_zero(scaling, depth):
    model = network(scaling, depth=depth)
    first, last = stream(model, ["position_embedding", f"block_{depth - 1}_add2"])
    np.testing.assert_array_equal(first, last)
    # So the whole network is one without blocks.
    tokens = model.get_layer("norm")(first)
    logits = model.get_layer("head")(tokens[:, 0])
    found = to_numpy(model(images(2, 32, 32, 3)))
    np.testing.assert_allclose(found, to_numpy(keras.ops.softmax(logits)), atol=1e-6)


@pytest.mark.parametrize(
    ("scaling", "depth", "epsilon"),
    [
        ("scalar", 3, 0.1),
        ("layer_scale", 24, 1e-5),
        pytest.param("layer_scale", 3, 0.1, marks=SLOW),
        pytest.param("scalar", 24, 1e-5, marks=SLOW),
    ],
)
def test_branches_of_scalar_and_layer_scale_start_at_epsilon(scaling, depth, epsilon):
    model = network(scaling, depth=depth, embed_dim=8)
    for branch in ("attention", "feed_forward"):
        part = 1 if branch == "attention" else 2
        names = [f"block_{depth - 1}_{name}" for name in (branch, f"scale{part}")]
        plain, scaled = stream(model, names)
        np.testing.assert_allclose(scaled, epsilon * plain, rtol=1e-6)
        assert np.max(np.abs(plain)) > 0


def test_scalar_and_layer_scale_are_the_same_at_first():
    x = images(2, 32, 32, 3)
    scalar, vector = (to_numpy(network(s)(x)) for s in ("scalar", "layer_scale"))
    np.testing.assert_array_equal(scalar, vector)
    assert not np.allclose(to_numpy(network("none")(x)), scalar, atol=1e-6)


SOME_SCALINGS = [
    name if name in ("layer_scale", "fixup") else pytest.param(name, marks=SLOW)
    for name in RESIDUAL_SCALINGS
]
KERNELS = {"qkv/kernel", "proj/kernel", "fc1/kernel", "fc2/kernel"}


@pytest.mark.parametrize(
    "scaling",
    ["layer_scale", *(pytest.param(name, marks=SLOW) for name in ("none", "scalar"))],
)
def test_one_step_changes_all_weights(scaling):
    scales = set() if scaling == "none" else {"scale"}
    assert moved(network(scaling), steps=1) == KERNELS | scales


def test_the_first_step_of_rezero_changes_only_the_scalars():
    assert moved(network("rezero"), steps=1) == {"scale"}


def test_the_first_step_of_fixup_changes_only_the_last_layers():
    assert moved(network("fixup"), steps=1) == {"proj/kernel", "fc2/kernel"}


@pytest.mark.parametrize("scaling", ABSENT_AT_FIRST)
def test_the_second_step_changes_all_weights(scaling):
    assert moved(network(scaling), steps=2) == KERNELS | {"scale"}


def test_fixup_scales_the_initial_weights_of_deit():
    keras.utils.set_random_seed(0)
    drawn = tiny_deit(depth=4)
    found = network("fixup", depth=4)
    factors = {  # of 8 branches
        "qkv/kernel": 8 ** (-1 / 6),
        "proj/kernel": 0,
        "fc1/kernel": 8 ** (-1 / 2),
        "fc2/kernel": 0,
    }
    values = {weight.path: to_numpy(weight) for weight in found.weights}
    for weight in drawn.weights:
        layer, _, name = weight.path.partition("/")
        factor = factors.get(name, 1) if layer.startswith("block") else 1
        expected = np.float32(factor) * to_numpy(weight)
        np.testing.assert_allclose(values[weight.path], expected, rtol=1e-6)


def test_fixup_with_more_blocks_than_the_model_is_refused():
    with pytest.raises(ValueError, match="block_3_attention"):
        start_as_fixup(tiny_deit(depth=3), depth=4)


def test_a_constant_added_to_all_channels_has_no_effect():
    # Which is why Fixup's scalar biases are left out.
    model = randomize(network("fixup"))
    x = images(2, 32, 32, 3)
    before = to_numpy(model(x))
    bias = model.get_layer("block_1_feed_forward").fc2.bias
    bias.assign_add(3.0 * np.ones(32))
    np.testing.assert_allclose(to_numpy(model(x)), before, atol=1e-5)
    bias.assign_add(3.0 * np.eye(32)[0])
    assert not np.allclose(to_numpy(model(x)), before, atol=1e-3)


@pytest.mark.parametrize("scaling", SOME_SCALINGS)
def test_keras_file(scaling, tmp_path):
    model = network(scaling, drop_path_rate=0.1, include_preprocessing=True)
    kind = LayerScale if scaling == "layer_scale" else ScalarScale
    scales = [layer for layer in model.layers if isinstance(layer, kind)]
    assert len(scales) == (0 if scaling == "none" else 6)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for new, old in zip(again.layers, model.layers, strict=True):
        assert new.get_config() == old.get_config()
    x = 100 * images(2, 32, 32, 3)
    np.testing.assert_array_equal(to_numpy(again(x)), to_numpy(model(x)))


def test_an_unknown_scaling_is_refused():
    with pytest.raises(ValueError, match=r"layer_scale\. Received: scaling='skipinit'"):
        network("skipinit")
