"""What an ONNX file is made of, and whether it is one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_cait.optional_packages import import_optional

STANDARD_DOMAINS = ("", "ai.onnx")
LARGEST_RANK = 4

Shape = tuple[int | None, ...]
"""Sizes of a tensor's axes; None where one is not known, as the batch's."""


@dataclass(frozen=True, kw_only=True)
class OnnxGraph:
    """What a valid file holds.

    Attributes:
        operators: How many of each kind.
        largest_rank: Of its tensors.
        opset: Of the standard operators.
    """

    operators: Mapping[str, int]
    largest_rank: int
    opset: int


def check_onnx(path: Path | str) -> OnnxGraph:
    """Checks that a file is valid, of standard operators and of rank 4 at most.

    Converters may write files that no runtime accepts, and say nothing.

    Args:
        path: The file.

    Returns:
        What is in it.

    Raises:
        ValueError: If an operator is none of the standard's, a tensor has more axes,
            or the checker refuses the file otherwise.

    Example:
        >>> import tempfile, onnx
        >>> from onnx import TensorProto, helper
        >>> x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        ...         for name in "xy")
        >>> graph = helper.make_graph(
        ...     [helper.make_node("Relu", ["x"], ["y"])], "graph", [x], [y])
        >>> versions = [helper.make_opsetid("", 18)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "relu.onnx")
        ...     onnx.save(helper.make_model(graph, opset_imports=versions), path)
        ...     check_onnx(path)
        OnnxGraph(operators={'Relu': 1}, largest_rank=2, opset=18)

    """
    onnx = import_optional("onnx", "export")
    model = onnx.load(str(path))
    opset = check_operators(model)
    try:
        # Not in full, which infers shapes: `tensor_shapes` does, and more strictly.
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        raise ValueError(f"The file is not valid ONNX: {error}") from error
    ranks = {name: len(shape) for name, shape in tensor_shapes(model).items()}
    for name, rank in ranks.items():
        if rank > LARGEST_RANK:
            raise ValueError(
                f"No tensor may have more than {LARGEST_RANK} axes. Received: "
                f"{name} with {rank}."
            )
    return OnnxGraph(
        operators=dict(Counter(node.op_type for node in model.graph.node)),
        largest_rank=max(ranks.values()),
        opset=opset,
    )


def check_operators(model: Any) -> int:
    """Checks that ONNX itself knows every operator of a model.

    Args:
        model: An `onnx.ModelProto`.

    Returns:
        The opset of its operators.

    Raises:
        ValueError: If it does not; the operators are named.

    Example:
        >>> import onnx
        >>> node = onnx.helper.make_node("Erfc", ["x"], ["y"])
        >>> graph = onnx.helper.make_graph([node], "graph", [], [])
        >>> check_operators(onnx.helper.make_model(graph))
        Traceback (most recent call last):
        ...
        ValueError: ONNX has no operator Erfc...

    """
    onnx = import_optional("onnx", "export")
    opset = next(
        (row.version for row in model.opset_import if row.domain in STANDARD_DOMAINS), 0
    )
    unknown = sorted(
        {
            node.op_type
            if node.domain in STANDARD_DOMAINS
            else f"{node.domain}.{node.op_type}"
            for node in model.graph.node
            if node.domain not in STANDARD_DOMAINS
            or not onnx.defs.has(node.op_type, max_inclusive_version=opset)
        }
    )
    if unknown:
        raise ValueError(
            f"ONNX has no operator {', '.join(unknown)} in opset {opset}, so that no "
            "runtime would load the file: the converter does not know how to write it. "
            "Such are keras.activations.gelu, which keras.ops.erf can be used for, and "
            "grouped convolutions on the CPU."
        )
    return opset


def tensor_shapes(model: Any) -> dict[str, Shape]:
    """Shape of every tensor of an `onnx.ModelProto`, by inference.

    Raises:
        ValueError: If types or shapes do not fit each other.

    Example:
        >>> from onnx import TensorProto, helper
        >>> x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        ...         for name in "xy")
        >>> graph = helper.make_graph(
        ...     [helper.make_node("Relu", ["x"], ["y"])], "graph", [x], [y])
        >>> tensor_shapes(helper.make_model(graph))
        {'x': (None, 3), 'y': (None, 3)}

    """
    inference = import_optional("onnx", "export").shape_inference
    try:  # through the values, too, that shapes are computed from
        inferred = inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except inference.InferenceError as error:
        raise ValueError(f"The graph is not valid ONNX: {error}") from error
    graph = inferred.graph
    shapes: dict[str, Shape] = {
        value.name: tuple(
            axis.dim_value if axis.HasField("dim_value") else None
            for axis in value.type.tensor_type.shape.dim
        )
        for value in (*graph.input, *graph.output, *graph.value_info)
    }
    return shapes | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
