"""The optimizer of the papers, from Keras's own parts."""

from typing import Any

import keras

from keras_cait.training.schedules import warmup_cosine as warmup_cosine


@keras.saving.register_keras_serializable(package="keras_cait")
class AdamW(keras.optimizers.AdamW):
    """AdamW that spares what the papers spare, also after it is reloaded.

    Keras forgets `exclude_from_weight_decay` when it saves an optimizer.

    Args:
        learning_rate: A rate a step, or a schedule of them.
        weight_decay: Part of each weight taken off a step, times the rate.
        epsilon: Added to the root of the second moment; 1e-8 as in torch.
        undecayed: Parts of the names of the variables that do not decay: by
            default biases, gains, position embedding and class token. As in the
            official code the distillation token decays.
        **kwargs: The other arguments of `keras.optimizers.AdamW`.

    Example:
        >>> optimizer = AdamW(learning_rate=1e-3)
        >>> AdamW.from_config(optimizer.get_config()).undecayed == optimizer.undecayed
        True

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, table 9, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        weight_decay: float = 0.05,
        *,
        epsilon: float = 1e-8,
        undecayed: tuple[str, ...] = (
            "bias",
            "gamma",
            "beta",
            "position_embedding",
            "class_token",
        ),
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, epsilon=epsilon, **kwargs)
        self.undecayed = tuple(undecayed)
        self.exclude_from_weight_decay(var_names=list(self.undecayed))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "undecayed": list(self.undecayed)}
