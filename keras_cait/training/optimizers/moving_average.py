"""Weights averaged over a training: how they move, and how to use them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Tensor


class MovingAverage:
    """An optimizer whose `use_ema` keeps the average beside the trained weights.

    `average = momentum * average + (1 - momentum) * weight` after each step, with
    the weights before the first step as the first average, as in the official code.
    That also averages what is not trained, such as the moments of batch
    normalization, which no model of the papers but their teacher has; here the
    average is of trained variables only.

    Keras starts at the weights after the first step, moves the average at every
    batch, also where `gradient_accumulation_steps` of them make one step, and
    replaces the weights with it at the end of `fit`. Here the model keeps its
    weights; `ema_weights` applies the average.

    A base of an optimizer, in front of `Accumulation` and of one of
    `keras.optimizers`.

    Raises:
        ValueError: If `ema_overwrite_frequency` is given.

    Reference:
        `ModelEma` of timm 0.3.2, in main.py of
        https://github.com/facebookresearch/deit

    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.ema_overwrite_frequency:
            raise ValueError(
                "The average never replaces the weights that are trained: use "
                "`ema_weights(optimizer)`. Received: ema_overwrite_frequency="
                f"{self.ema_overwrite_frequency}"
            )

    def _backend_apply_gradients(
        self, grads: list[Tensor], trainable_variables: list[keras.Variable]
    ) -> None:
        if self.use_ema:
            # Not in `build`: weights may be loaded after it.
            first = ops.equal(self._iterations, 0)
            for weight, average in self._averaged(self._trainable_variables):
                both = map(ops.convert_to_tensor, (weight, average))
                average.assign(ops.where(first, *both))
        super()._backend_apply_gradients(grads, trainable_variables)

    def _averaged(self, variables: list[keras.Variable]) -> Any:
        """Pairs of a trained variable and its average."""
        return zip(variables, self._model_variables_moving_average, strict=True)

    def _update_model_variables_moving_average(
        self, trainable_variables: list[keras.Variable]
    ) -> None:
        if not self.use_ema:
            return
        # Backends other than TensorFlow come here at every batch.
        batches = self.gradient_accumulation_steps or 1
        stepped = ops.equal((self._iterations + 1) % batches, 0)
        momentum = ops.where(stepped, self.ema_momentum, 1.0)
        for weight, average in self._averaged(trainable_variables):
            keep = ops.cast(momentum, weight.dtype)
            average.assign(keep * average + (1 - keep) * weight)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Nothing: `fit` calls it to have the weights replaced by their average."""


@contextlib.contextmanager
def ema_weights(optimizer: Any) -> Iterator[None]:
    """Inside, the model that an optimizer trains has the average of its weights.

    To evaluate and to save it; afterwards it is as it was, and can be trained on.
    What is not trained, such as the moments of batch normalization, stays.

    Args:
        optimizer: One of `keras_cait.training.optimizers` with an `ema_momentum`,
            also inside of a `keras.optimizers.LossScaleOptimizer`.

    Raises:
        ValueError: If it keeps no average, or has taken no step yet.

    Example:
        >>> import numpy as np
        >>> from keras_cait.training.optimizers.paper_optimizers import build_optimizer
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(build_optimizer("sgd", 0.1, ema_momentum=0.9), "mse")
        >>> x, y = np.ones((8, 2)), np.ones((8, 1))
        >>> history = model.fit(x, y, batch_size=1, verbose=0)
        >>> loss = model.evaluate(x, y, verbose=0)
        >>> with ema_weights(model.optimizer):
        ...     loss_of_average = model.evaluate(x, y, verbose=0)
        >>> loss == loss_of_average, model.evaluate(x, y, verbose=0) == loss
        (False, True)

    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not optimizer.use_ema:
        raise ValueError(
            "`optimizer` must keep an average of the weights: give "
            f"`build_optimizer` an ema_momentum. Received: {optimizer.name!r} without"
        )
    if not optimizer.built or _value(optimizer.iterations) == 0:
        raise ValueError(
            "`optimizer` must have taken a step for there to be an average. "
            f"Received: {optimizer.name!r} after none"
        )
    weights = optimizer._trainable_variables
    averages = optimizer._model_variables_moving_average
    trained = [_value(weight) for weight in weights]
    _assign(weights, [_value(average) for average in averages])
    try:
        yield
    finally:
        _assign(weights, trained)


def _value(variable: Tensor) -> Tensor:
    return ops.convert_to_numpy(ops.convert_to_tensor(variable))


def _assign(variables: list[keras.Variable], values: list[Tensor]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
