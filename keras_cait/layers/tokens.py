"""ClassToken and DistillationToken: learned tokens in front of the patches."""

import keras
from keras import ops

from keras_cait.layers.initializers import weight_initializer
from keras_cait.layers.precision import ResidualLayer
from keras_cait.typing import Shape, Tensor


class LearnedToken(ResidualLayer):
    """Base of both layers: puts one learned token in front of a sequence."""

    weight_name = "token"

    def build(self, input_shape: Shape) -> None:
        self.token = self.add_weight(
            name=self.weight_name,
            shape=(1, 1, input_shape[-1]),
            initializer=weight_initializer(),
        )

    def call(self, inputs: Tensor) -> Tensor:
        batch, _, dim = ops.shape(inputs)
        token = ops.cast(self.token, self.compute_dtype)
        token = ops.broadcast_to(token, (batch, 1, dim))
        return ops.concatenate([token, inputs], axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, tokens, dim = input_shape
        return (batch, None if tokens is None else tokens + 1, dim)


@keras.saving.register_keras_serializable(package="keras_cait")
class ClassToken(LearnedToken):
    """Puts the learned class token in front of a sequence.

    `y = [class_token, x_1, ..., x_n]`. The classifier reads its last state.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`; `dtype` is float32 by default under
            mixed policies.

    Input shape: `(batch, tokens, dim)`.
    Output shape: `(batch, tokens + 1, dim)`.

    Example:
        >>> import numpy as np
        >>> ClassToken()(np.zeros((2, 4, 8))).shape == (2, 5, 8)
        True

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 3, https://arxiv.org/abs/2012.12877

    """

    weight_name = "class_token"


@keras.saving.register_keras_serializable(package="keras_cait")
class DistillationToken(LearnedToken):
    """Puts the learned distillation token in front of a sequence.

    `y = [distillation_token, x_1, ..., x_n]`. It takes part in attention as the
    class token does; its head is trained on the teacher's predictions. Apply it
    before `ClassToken` for the published order: class, distillation, patches.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`; `dtype` is float32 by default under
            mixed policies.

    Input shape: `(batch, tokens, dim)`.
    Output shape: `(batch, tokens + 1, dim)`.

    Example:
        >>> import numpy as np
        >>> tokens = DistillationToken()(np.zeros((2, 4, 8)))
        >>> ClassToken()(tokens).shape == (2, 6, 8)
        True

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4 and figure 2, https://arxiv.org/abs/2012.12877

    """

    weight_name = "distillation_token"
