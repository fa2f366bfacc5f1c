"""Values of a checkpoint for a model, after every check."""

import numpy as np

from keras_cait.weights.tensors.head_mismatch import skipped_head_tensors
from keras_cait.weights.tensors.position_embedding import fit_position_embedding
from keras_cait.weights.tensors.stored_tensors import GridSize, OpenCheckpoint
from keras_cait.weights.tensors.tensor_checks import check_tensors, checked_values


def matching_values(
    checkpoint: OpenCheckpoint,
    *,
    new_head: bool,
    antialias: bool,
    grid_size: GridSize | None,
    source: str,
    model_name: str,
) -> tuple[dict[str, np.ndarray], str]:
    """Values for the model's weights by name, and a warning or an empty string.

    The options are those of `load_weights`; `source` and `model_name` are for messages.
    """
    expected, found = checkpoint.expected, dict(checkpoint.found)
    for name, tensor in expected.items():
        if tensor.grid_size is not None and name in found:
            found[name] = fit_position_embedding(
                found[name],
                tensor.shape,
                tensor.grid_size,
                file_grid=checkpoint.grids.get(name, grid_size),
                is_square=checkpoint.is_square,
                antialias=antialias,
                source=source,
            )
    expected_shapes = {name: tensor.shape for name, tensor in expected.items()}
    found_shapes = {name: tensor.shape for name, tensor in found.items()}
    skipped, warning = skipped_head_tensors(
        expected_shapes, found_shapes, new_head=new_head, source=source
    )
    optional = {name for name, tensor in expected.items() if tensor.dtype is None}
    check_tensors(
        expected_shapes,
        found_shapes,
        ignored=skipped | (optional - found.keys()),
        source=source,
        model_name=model_name,
    )
    dtypes = {
        name: tensor.dtype
        for name, tensor in expected.items()
        if tensor.dtype is not None and name not in skipped
    }
    tensors = {name: found[name] for name in dtypes}
    values = checked_values(tensors, dtypes, source=source, model_name=model_name)
    return values, warning
