"""Exponential moving average of the weights, and its use for evaluation."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_cait.typing import Tensor


class MovingAverage:
    """Mixin of an optimizer whose `use_ema` averages beside the trained weights.

    `average = momentum * average + (1 - momentum) * weight` after each step. The first
    average is the weights before the first step, as in the official code: `ModelEma` of
    timm 0.3.2, in main.py of https://github.com/facebookresearch/deit. That code also
    averages variables that are not trained, such as the moments of batch normalization,
    which of the papers' models only the teacher has; here only trained variables have
    an average.

    Keras starts at the weights after the first step, updates the average at every
    batch, also where `gradient_accumulation_steps` of them make one step, and replaces
    the weights with it at the end of `fit`. Here the model keeps its weights;
    `ema_weights` applies the average. It stands before `Accumulation` among the bases.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.ema_overwrite_frequency:
            raise ValueError(
                "`ema_overwrite_frequency` must be None: the average never replaces "
                "the trained weights; use `ema_weights(optimizer)`. Received: "
                "ema_overwrite_frequency="
                f"{self.ema_overwrite_frequency}"
            )

    def _backend_apply_gradients(
        self, grads: list[Tensor], trainable_variables: list[keras.Variable]
    ) -> None:
        if self.use_ema:
            # Not in `build`: weights may be loaded after it.
            is_first = ops.equal(self._iterations, 0)
            for weight, average in self._with_averages(self._trainable_variables):
                both = map(ops.convert_to_tensor, (weight, average))
                average.assign(ops.where(is_first, *both))
        super()._backend_apply_gradients(grads, trainable_variables)

    def _with_averages(self, variables: list[keras.Variable]) -> Any:
        """Pairs of a variable and its average."""
        return zip(variables, self._model_variables_moving_average, strict=True)

    def _update_model_variables_moving_average(
        self, trainable_variables: list[keras.Variable]
    ) -> None:
        if not self.use_ema:
            return
        # Backends other than TensorFlow call this after every batch.
        batches = self.gradient_accumulation_steps or 1
        is_step = ops.equal((self._iterations + 1) % batches, 0)
        momentum = ops.where(is_step, self.ema_momentum, 1.0)
        for weight, average in self._with_averages(trainable_variables):
            kept = ops.cast(momentum, weight.dtype)
            average.assign(kept * average + (1 - kept) * weight)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Does nothing: in Keras it replaces the weights after `fit`."""


@contextlib.contextmanager
def ema_weights(optimizer: Any) -> Iterator[None]:
    """Context in which a model has the average of its weights.

    It serves to evaluate and to save the averaged model. After it the model has its
    trained weights again. Variables that are not trained, such as the moments of
    batch normalization, do not change.

    Args:
        optimizer: The model's, from `keras_cait.training.optimizers` with an
            `ema_momentum`, also inside of a `keras.optimizers.LossScaleOptimizer`.

    Raises:
        ValueError: If it has no average, or has taken no step yet.

    Example:
        >>> import numpy as np
        >>> from keras_cait.training.optimizers.build import build_optimizer
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
            "`optimizer` must average the weights: give `build_optimizer` an "
            f"ema_momentum. Received: {optimizer.name!r} without an average"
        )
    if not optimizer.built or _value(optimizer.iterations) == 0:
        raise ValueError(
            "`optimizer` must have taken a step before its average is used. "
            f"Received: {optimizer.name!r} after no step"
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
