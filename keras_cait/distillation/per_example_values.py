"""Conversion of the values that a loss returns to one number an example."""

from keras import ops

from keras_cait.typing import Tensor


def per_example_values(
    values: Tensor, logits: Tensor, *, argument: str, allows_batch_mean: bool
) -> Tensor:
    """One number an example, whose mean over the batch is the mean of `values`.

    A loss may return `(batch,)`, `(batch, 1)`, `(batch, ...)`, of which each example's
    mean is taken, or one number for the whole batch, which every example then gets.
    Keras reduces all of them to the same mean. One number for the whole batch cannot be
    weighted by example, and it cannot be split between replicas: a mean and a sum of
    one replica's examples look the same. It then raises `ValueError`.

    Example:
        >>> import numpy as np
        >>> options = {"argument": "loss", "allows_batch_mean": True}
        >>> values, logits = np.array([[1.], [2.]]), np.zeros((2, 3))
        >>> ops.convert_to_numpy(per_example_values(values, logits, **options))
        array([1., 2.])
        >>> values = np.array(3.)
        >>> ops.convert_to_numpy(per_example_values(values, logits, **options))
        array([3., 3.])

    """
    values = ops.convert_to_tensor(values)
    shape, batch = tuple(values.shape), logits.shape[0]
    examples = ops.shape(logits)[0]
    if not shape or (shape[0] == 1 != batch):
        if allows_batch_mean:
            return ops.broadcast_to(ops.mean(values), (examples,))
        raise ValueError(
            f"`{argument}` must give one number an example, (batch,), where examples "
            "have weights (`sample_weight`, `class_weight`) or there are several "
            f"replicas. Received: a loss that gives {shape}, one number for the whole "
            "batch. Leave out its mean over the examples."
        )
    if shape[0] not in (None, batch):
        raise ValueError(
            f"`{argument}` must give one number an example, (batch,). Received: a "
            f"loss that gives {shape} for {tuple(logits.shape)} logits. Reduce the "
            "axis of the classes (axis=-1), not that of the examples."
        )
    if len(shape) > 1:
        values = ops.mean(values, axis=tuple(range(1, len(shape))))
    return ops.reshape(values, (examples,))  # fails where there are not so many
