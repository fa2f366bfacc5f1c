"""Training step of `Distiller` on every backend but TensorFlow: Keras's own."""

from typing import Any

from keras import ops

from keras_cait.distillation.batch_labels import PADDING_LABEL
from keras_cait.typing import Tensor


class KerasSteps:
    """Computes the distillation objective in `compute_loss`, which Keras's step calls.

    Many devices get equally many images there, so that the last batch of an
    evaluation may be padded: the logs are means of the other images.
    """

    extra_trackers = ("loss",)  # Keras's own counts padding too
    # A loss, and a normalization, gets the whole batch, on many devices too.
    has_many_replicas = synchronizes_batch_norm = False

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
        labels, teacher_logits = self.labels_and_logits(y)
        if teacher_logits is None:
            teacher_logits = self.teacher_logits(self.teacher_images(x))
        losses = self._objective.losses(labels, y_pred, teacher_logits, sample_weight)
        loss = losses["loss"] + sum(self.student.losses)  # regularization
        self.track(labels, y_pred, teacher_logits, losses | {"loss": loss})
        return ops.mean(loss)

    def tracking_weight(self, labels: Tensor) -> Tensor | None:
        """1 for each example that the logs count, 0 for padding."""
        if len(labels.shape) == 2 and labels.shape[-1] > 1:
            return None
        return ops.cast(ops.reshape(labels, (-1,)) != PADDING_LABEL, "float32")
