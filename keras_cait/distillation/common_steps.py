"""How `Distiller` trains where Keras's own steps do: every backend but TensorFlow."""

from typing import Any

from keras import ops

from keras_cait.typing import Tensor


class CommonSteps:
    """Puts the distillation objective where Keras's own training step looks for it."""

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
        self.track(labels, y_pred, teacher_logits, losses)
        return ops.mean(losses["loss"]) + sum(self.student.losses)
