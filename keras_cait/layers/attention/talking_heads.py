"""TalkingHeads: self-attention with a learned mix of its heads."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cait.layers.attention.multi_query import multi_query_talking_heads
from keras_cait.layers.attention.scores import attention_logits, softmax
from keras_cait.layers.attention.self_attention import SelfAttention
from keras_cait.layers.initializers import weight_initializer
from keras_cait.typing import Shape, Tensor


def mix_heads(scores: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Makes each head of `(batch, heads, queries, keys)` a weighted sum of all heads.

    `y[:, j] = sum_i kernel[i, j] * x[:, i] + bias[j]`; of rank 3 inside.

    Example:
        >>> import numpy as np
        >>> swap = np.array([[0.0, 1.0], [1.0, 0.0]])
        >>> scores = np.arange(2.0).reshape(1, 2, 1, 1)
        >>> ops.convert_to_numpy(mix_heads(scores, swap, np.zeros(2))).ravel().tolist()
        [1.0, 0.0]

    """
    _, heads, queries, keys = ops.shape(scores)
    flat = ops.reshape(scores, (-1, heads, queries * keys))
    mixed = ops.matmul(ops.transpose(kernel), flat) + ops.expand_dims(bias, -1)
    return ops.reshape(mixed, (-1, heads, queries, keys))


@keras.saving.register_keras_serializable(package="keras_cait")
class TalkingHeads(SelfAttention):
    """Multi-head self-attention with a learned mix of the heads, twice.

    `y = W_o @ concat_h(mix_w(softmax(mix_l(q @ k^T / sqrt(head_dim)))) @ v) + b_o`,
    where `mix_l` and `mix_w` are linear maps, with bias, over the heads. After
    `mix_w` the rows of attention no longer add up to 1.

    Arguments, call arguments and errors are those of `SelfAttention`; the returned
    attention scores are those before the second mix. `implementation` has one more
    value, "kernel": a kernel for GPUs, on JAX only; a layer saved with it loads on
    other backends as "auto". Neither it nor "fused", which computes multi-query
    attention, was measured on a GPU.

    Input shape: `(batch, tokens, dim)`.
    Output shape: `(batch, tokens, dim)`.

    Example:
        >>> import numpy as np
        >>> layer = TalkingHeads(num_heads=2)
        >>> layer(np.zeros((2, 5, 8))).shape == (2, 5, 8)
        True

    Reference:
        Shazeer et al., Talking-Heads Attention, https://arxiv.org/abs/2003.02436;
        its use: CaiT, section 5, https://arxiv.org/abs/2103.17239

    """

    implementations: ClassVar[Sequence[str]] = (
        *SelfAttention.implementations,
        "kernel",
    )
    without_maps: ClassVar[Sequence[str]] = ("fused", "kernel")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.implementation == "kernel" and not _is_jax():
            raise ValueError(
                '`implementation="kernel"` needs KERAS_BACKEND=jax. Received: a layer '
                f"on {keras.backend.backend()}. Take 'auto', 'blocks' or 'fused'."
            )

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        # Named as in the official code: before the softmax, and after it.
        self.proj_l_kernel, self.proj_l_bias = self._mix("proj_l")
        self.proj_w_kernel, self.proj_w_bias = self._mix("proj_w")

    def mixes(self) -> Sequence[Tensor]:
        mixes = (self.proj_l_kernel, self.proj_l_bias)
        mixes += (self.proj_w_kernel, self.proj_w_bias)
        return [ops.cast(weight, self.compute_dtype) for weight in mixes]

    def scores_and_weights(
        self, query: Tensor, key: Tensor, *mixes: Tensor
    ) -> tuple[Tensor, Tensor]:
        before, before_bias, after, after_bias = mixes
        logits = mix_heads(attention_logits(query, key), before, before_bias)
        scores = ops.cast(softmax(logits), logits.dtype)
        return scores, mix_heads(scores, after, after_bias)

    def attend_without_maps(
        self, in_blocks: Callable[..., Tensor], *tensors: Tensor
    ) -> Tensor:
        if self.implementation == "fused":
            return multi_query_talking_heads(*tensors)
        from keras_cait.layers.attention.gpu_kernel import kernel_talking_heads

        return kernel_talking_heads(*tensors, gradient_of=in_blocks)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TalkingHeads":
        if config.get("implementation") == "kernel" and not _is_jax():
            config = {**config, "implementation": "auto"}
        return cls(**config)

    def _mix(self, name: str) -> tuple[keras.Variable, keras.Variable]:
        kernel = self.add_weight(
            name=f"{name}_kernel",
            shape=(self.num_heads, self.num_heads),
            initializer=weight_initializer(),
        )
        bias = self.add_weight(
            name=f"{name}_bias", shape=(self.num_heads,), initializer="zeros"
        )
        return kernel, bias


def _is_jax() -> bool:
    return keras.backend.backend() == "jax"
