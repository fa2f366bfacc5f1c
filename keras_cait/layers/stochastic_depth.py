"""StochasticDepth: drops whole residual branches, example by example."""

from typing import Any

import keras
from keras import ops

from keras_cait.layers.checks import check_rates
from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class StochasticDepth(ResidualLayer):
    """Sets a residual branch to zero for a random part of the batch.

    In training each example is kept with probability `1 - rate` and then
    divided by `1 - rate`, so that the expectation stays the same:
    `y[i] = keep[i] * x[i] / (1 - rate)`, `keep[i] ~ Bernoulli(1 - rate)`.
    At inference, and with `rate=0`, it is the identity.

    Args:
        rate: Probability of dropping one example's branch, in [0, 1).
        seed: Integer, for reproducible masks; None draws a seed.
        **kwargs: Arguments of `keras.layers.Layer`; `dtype` is float32 by default under
            mixed policies.

    Call arguments:
        inputs: The branch, before it is added to the residual stream.
        training: Whether to drop.

    Input shape: `(batch, ...)`.
    Output shape: `(batch, ...)`.

    Raises:
        ValueError: If `rate` is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> branch = np.ones((8, 3, 4), "float32")
        >>> kept = StochasticDepth(rate=0.5, seed=1)(branch, training=True)
        >>> set(np.unique(keras.ops.convert_to_numpy(kept)).tolist()) <= {0.0, 2.0}
        True

    Reference:
        Huang et al., Deep Networks with Stochastic Depth,
        https://arxiv.org/abs/1603.09382; its use: DeiT, section 6 (a linear
        ramp over depth) and CaiT, section 2 (one rate for all blocks).

    """

    def __init__(self, *, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_rates(rate=rate)
        self.rate = rate
        self.seed = seed
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        # One draw an example, broadcast over all its other axes. In float32: a draw
        # in bfloat16 has 7 bits and would drop 1.5 % at a rate of 0.9 %.
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        draw = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        return ops.where(draw >= self.rate, inputs / (1 - self.rate), 0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
