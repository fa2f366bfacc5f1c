"""Norms and GELU are found, compute the same, and nothing else is changed."""

import math
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from keras_cait.export.onnx_graph.operators import name_operators

CONSTANTS = {"epsilon": 1e-6, "half": 0.5, "one": 1.0, "factor": math.sqrt(0.5)}
NORM = [
    ("Mul", "x x", "square"),
    ("ReduceMean", "square axes", "mean"),
    ("Add", "mean epsilon", "total"),
    ("Sqrt", "total", "root"),
    ("Div", "x root", "y"),
]
GELU = [
    ("Mul", "half x", "halved"),
    ("Mul", "x factor", "scaled"),
    ("Erf", "scaled", "erf"),
    ("Add", "one erf", "total"),
    ("Mul", "halved total", "y"),
]


def model_of(rows, opset=18, axis=-1):
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 5, 4])
        for name in "xy"
    ]
    arrays = {name: np.array(value, "float32") for name, value in CONSTANTS.items()}
    arrays["axes"] = np.array([axis], "int64")
    read = {name for _, inputs, _ in rows for name in inputs.split()}
    graph = helper.make_graph(
        [helper.make_node(kind, names.split(), [to]) for kind, names, to in rows],
        "graph",
        values[:1],
        values[1:],
        [
            numpy_helper.from_array(array, name)
            for name, array in arrays.items()
            if name in read
        ],
    )
    versions = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def answers(model, images):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": images})[0]


def centered(seed=0):
    images = np.random.default_rng(seed).standard_normal((3, 5, 4), dtype="float32")
    return images - images.mean(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (NORM, {"LayerNormalization": 1}),
        (GELU, {"Mul": 2, "Div": 1, "Erf": 1, "Add": 1}),
        (
            [(kind, " ".join(reversed(names.split())), to) for kind, names, to in GELU],
            {"Mul": 2, "Div": 1, "Erf": 1, "Add": 1},
        ),
    ],
)
def test_found_and_equal(rows, kinds):
    model, images = model_of(rows), centered()
    expected = answers(model, images)
    name_operators(model, 18)
    assert Counter(node.op_type for node in model.graph.node) == kinds
    np.testing.assert_allclose(answers(model, images), expected, rtol=1e-5, atol=1e-6)


def changed(place, row):
    return [row if index == place else kept for index, kept in enumerate(NORM)]


@pytest.mark.parametrize(
    "model",
    [
        model_of(changed(1, ("ReduceMean", "square axes", "mean")), axis=1),
        model_of(changed(0, ("Mul", "x half", "square"))),
        model_of(changed(4, ("Div", "square root", "y"))),
        model_of(changed(2, ("Add", "mean mean", "total"))),
        model_of([("Erf", "x", "y")]),
        model_of([("Mul", "x half", "a"), ("Erf", "a", "y")]),
        model_of([("Div", "x half", "y")]),
    ],
)
def test_what_is_something_else_is_left(model):
    before = Counter(node.op_type for node in model.graph.node)
    expected = answers(model, centered())
    name_operators(model, 18)
    assert Counter(node.op_type for node in model.graph.node) == before
    np.testing.assert_array_equal(answers(model, centered()), expected)


@pytest.mark.parametrize(("opset", "named"), [(16, 0), (17, 1)])
def test_older_opsets_have_no_layer_normalization(opset, named):
    model = model_of(NORM, opset)
    # Their mean has its axes as an attribute.
    mean = helper.make_node("ReduceMean", ["square"], ["mean"], axes=[-1])
    model.graph.node[1].CopyFrom(mean)
    name_operators(model, opset)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("LayerNormalization") == named
    assert answers(model, centered()).shape == (3, 5, 4)
