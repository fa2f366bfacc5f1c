"""Weight decay of the variables that the papers decay."""

from collections.abc import Iterable
from typing import Any

from keras_cait.typing import Tensor

UNDECAYED = ("bias", "position_embedding", "class_token")
"""Parts of the names of variables that the official code does not decay."""


class SelectiveDecay:
    """Mixin of an optimizer that decays only matrices, also after it is reloaded.

    Vectors and scalars do not decay, which includes biases and the gains of norms
    and LayerScale, nor does a variable with one of `undecayed` in its name: by default
    biases, position embedding and class token. As in the official code the distillation
    token decays. Keras does not save what `exclude_from_weight_decay` has set.
    It stands before a class of `keras.optimizers` among the bases.
    """

    def __init__(
        self, *args: Any, undecayed: Iterable[str] = UNDECAYED, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.undecayed = tuple(undecayed)

    def _use_weight_decay(self, variable: Tensor) -> bool:
        return (
            len(variable.shape) > 1
            and not any(part in variable.name for part in self.undecayed)
            and super()._use_weight_decay(variable)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "undecayed": list(self.undecayed)}
