"""How `Distiller` trains where Keras's own steps do: every backend but TensorFlow."""

from typing import Any

from keras import ops

from keras_cait.distillation.labels_and_logits import FILLING
from keras_cait.typing import Tensor


class CommonSteps:
    """Puts the distillation objective where Keras's own training step looks for it.

    Many devices get equally many images there, so that an evaluation's last batch may
    have to be filled up: the logs are means of the other images.
    """

    own_trackers = ("loss",)  # Keras's counts all images of a batch
    # A loss, and a normalization, sees the whole batch, on many devices too.
    is_split = shares_statistics = False

    def _compile_steps(self, optimizer: Any, jit_compile: Any, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Any = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        labels, teacher_logits = self.targets(y)
        if teacher_logits is None:
            teacher_logits = self.teacher_logits(self.teacher_images(x))
        losses = self.example_losses(labels, y_pred, teacher_logits, sample_weight)
        regularization = sum(self.student.losses)
        loss = losses["loss"] + regularization
        self.track(labels, y_pred, teacher_logits, losses | {"loss": loss})
        return ops.mean(loss)

    def counted(self, labels: Tensor) -> Tensor | None:
        """1 for each example that the logs are means of, 0 for those that fill up."""
        if len(labels.shape) == 2 and labels.shape[-1] > 1:
            return None
        return ops.cast(ops.reshape(labels, (-1,)) != FILLING, "float32")
