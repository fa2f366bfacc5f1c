"""Folding of normalization, patch embedding, learned tokens and positions."""

from dataclasses import replace

import numpy as np

from keras_cait.export.folding.folded_layers import FoldedPatches
from keras_cait.export.folding.folded_tensors import FoldedTensor, Folding, assign
from keras_cait.export.folding.graph import Step
from keras_cait.export.folding.linear_maps import centered, values
from keras_cait.layers import PatchEmbedding


def rescaling(folding: Folding, step: Step) -> FoldedTensor:
    """Image normalization; a patch embedding absorbs it if nothing else reads it."""
    readers = folding.graph.consumers(step.output)
    alone = all(reader.calls(PatchEmbedding) for reader in readers)
    if not alone or folding.graph.is_output(step.output):
        return FoldedTensor(folding.rebuild(step))
    tensor, gain, offset = folding.affine(step.input)
    scale = np.asarray(step.operation.scale, "float64")
    moved = np.asarray(step.operation.offset, "float64")
    return FoldedTensor(tensor, gain=gain * scale, offset=offset * scale + moved)


def patches(folding: Folding, step: Step) -> FoldedTensor:
    """A patch embedding, whose bias is added together with the positions."""
    old = step.operation
    tensor, gain, offset = folding.affine(step.input)
    kernel = values(old.kernel)  # (rows, columns, channels, dim)
    bias = values(old.bias) + np.einsum("c,rscd->d", offset, kernel)
    kernel = kernel * gain[:, None]
    shiftable = folding.required.is_shiftable(step.output)
    if shiftable:
        kernel, bias = centered(kernel), centered(bias)
    layer = FoldedPatches(
        patch_size=old.patch_size,
        embed_dim=old.embed_dim,
        dtype="float32",
        name=old.name,
    )
    made = layer(tensor)
    assign(layer.kernel, kernel)
    constant = np.tile(bias, (made.shape[1], 1))
    return FoldedTensor(made, constant=constant, centered=shiftable, name=old.name)


def learned_token(folding: Folding, step: Step) -> FoldedTensor:
    """A learned token, which is added together with the positions."""
    found = _constant(folding, step, prefix=1)
    return _plus(found, slice(0, 1), values(step.operation.token)[0])


def positions(folding: Folding, step: Step) -> FoldedTensor:
    """Position embedding, added where another layer reads the tokens."""
    found = _constant(folding, step)
    return _plus(found, slice(None), values(step.operation.position_embedding)[0])


def _constant(folding: Folding, step: Step, *, prefix: int = 0) -> FoldedTensor:
    """The constant so far, with rows of 0 in front for new tokens."""
    found = folding.unfinished(step.input)
    _, tokens, dim = step.input.shape
    there = np.zeros((tokens, dim)) if found.constant is None else found.constant
    return FoldedTensor(
        found.tensor,
        prefix=found.prefix + prefix,
        constant=np.concatenate([np.zeros((prefix, dim)), there]),
        centered=found.centered and folding.required.is_shiftable(step.output),
        name=step.operation.name,
    )


def _plus(found: FoldedTensor, tokens: slice, vectors: np.ndarray) -> FoldedTensor:
    constant = np.array(found.constant)
    constant[tokens] += centered(vectors) if found.centered else vectors
    return replace(found, constant=constant)
