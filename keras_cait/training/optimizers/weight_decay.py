"""Which variables an optimizer makes smaller at each step."""

from collections.abc import Iterable
from typing import Any

from keras_cait.typing import Tensor

UNDECAYED = ("bias", "position_embedding", "class_token")
"""Parts of the names of what the official code spares besides vectors."""


class SelectiveDecay:
    """An optimizer that spares what the papers spare, also after it is reloaded.

    Vectors and scalars do not decay, which takes in biases and the gains of norms
    and LayerScale, nor does a variable with one of `undecayed` in its name. Keras
    has `exclude_from_weight_decay`, and forgets it when it saves an optimizer.

    A base beside one of `keras.optimizers`, in front of it.
    """

    def __init__(
        self, *args: Any, undecayed: Iterable[str] = UNDECAYED, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.undecayed = tuple(undecayed)

    def _use_weight_decay(self, variable: Tensor) -> bool:
        spared = any(part in variable.name for part in self.undecayed)
        return (
            len(variable.shape) > 1
            and not spared
            and super()._use_weight_decay(variable)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "undecayed": list(self.undecayed)}
