"""Checks of ONNX files: valid, standard operators, at most four axes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_cait.optional_packages import import_optional

STANDARD_DOMAINS = ("", "ai.onnx")
LARGEST_RANK = 4

Shape = tuple[int | None, ...]
"""Sizes of the axes; None for an unknown size, such as the batch."""


@dataclass(frozen=True, kw_only=True)
class OnnxGraph:
    """Operators by kind, largest rank of a tensor, and opset of a valid file."""

    operators: Mapping[str, int]
    largest_rank: int
    opset: int


def check_onnx(path: Path | str) -> OnnxGraph:
    """Checks a file: valid, standard operators, at most four axes.

    Converters may write files that no runtime accepts, without an error.
    """
    onnx = import_optional("onnx", "export")
    model = onnx.load(str(path))
    opset = check_operators(model)
    try:
        # `full_check` would infer shapes; `tensor_shapes` does so more strictly.
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
    """Returns the opset; raises `ValueError` for operators that ONNX does not have."""
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
            f"ONNX has no operator {', '.join(unknown)} in opset {opset}, so no "
            "runtime would load the file: the converter does not support it. Replace "
            "keras.activations.gelu by keras.ops.erf. Grouped convolutions cannot be "
            "converted on a CPU."
        )
    return opset


def tensor_shapes(model: Any) -> dict[str, Shape]:
    """Shape of every tensor of an `onnx.ModelProto`, by strict inference."""
    inference = import_optional("onnx", "export").shape_inference
    try:  # `data_prop` follows the values that shapes are computed from
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
