"""Operators and tensor ranks of a SavedModel, read from its file."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_SILENT = {"Const", "Identity", "NoOp", "ReadVariableOp"}  # they compute nothing


class SavedGraph:
    """The graph of one signature; a function's nodes are repeated for each call."""

    def __init__(self, path: Path, signature: str) -> None:
        saved = SavedModel.FromString((path / "saved_model.pb").read_bytes())
        (graph,) = saved.meta_graphs
        library = graph.graph_def.library
        self._functions = {one.signature.name: one for one in library.function}
        output = next(iter(graph.signature_def[signature].outputs.values())).name
        nodes = {node.name: node for node in graph.graph_def.node}
        self.nodes = list(self._expanded([nodes[output.split(":")[0]]]))

    def operators(self) -> dict[str, int]:
        """Number of nodes of each kind, except those that compute nothing."""
        kinds = Counter(node.op for node in self.nodes if not self._called(node))
        return {kind: kinds[kind] for kind in sorted(kinds.keys() - _SILENT)}

    def largest_rank(self) -> int:
        """Largest number of axes of the tensors, where it is known."""
        return max(
            len(shape.dim)
            for node in self.nodes
            for shape in node.attr["_output_shapes"].list.shape
        )

    def _expanded(self, nodes: list[NodeDef]) -> Iterator[NodeDef]:
        """These nodes and those of the functions that they call."""
        for node in nodes:
            yield node
            for function in self._called(node):
                yield from self._expanded(list(function.node_def))

    def _called(self, node: NodeDef) -> list[FunctionDef]:
        names = [value.func.name for value in node.attr.values()]
        names += [one.name for value in node.attr.values() for one in value.list.func]
        return [self._functions[name] for name in names if name]
