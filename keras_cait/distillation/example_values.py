"""The values that a loss returns, brought to one number an example."""

from keras import ops

from keras_cait.typing import Tensor


def example_values(
    values: Tensor, logits: Tensor, *, argument: str, may_mix: bool
) -> Tensor:
    """One number an example, whose mean over the batch is the mean of `values`.

    Args:
        values: What a loss returned: `(batch,)`, `(batch, 1)`, `(batch, ...)`, of
            which each example's mean is taken, or one number for the whole batch,
            which then stands for every example. Keras reduces all of them to the
            same mean.
        logits: `(batch, classes)`, what the loss was computed from.
        argument: Name of the argument that the loss was passed as, for errors.
        may_mix: Whether one number for the whole batch is allowed. It cannot be
            weighted by example, and it cannot be split between replicas: a mean
            and a sum of one replica's examples look the same.

    Returns:
        `(batch,)`.

    Raises:
        ValueError: If the first axis is not the batch, or there is one number for
            the whole batch where `may_mix` is False.

    Example:
        >>> import numpy as np
        >>> options = {"logits": np.zeros((2, 3)), "argument": "loss", "may_mix": True}
        >>> ops.convert_to_numpy(example_values(np.array([[1.], [2.]]), **options))
        array([1., 2.])
        >>> ops.convert_to_numpy(example_values(np.array(3.), **options))
        array([3., 3.])

    """
    values = ops.convert_to_tensor(values)
    shape, batch = tuple(values.shape), logits.shape[0]
    examples = ops.shape(logits)[0]
    if not shape or (shape[0] == 1 != batch):
        if may_mix:
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
