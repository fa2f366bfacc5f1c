"""The distillation objective on any backend, from logits to one number an example."""

from dataclasses import dataclass

from keras import ops

from keras_cait.distillation.class_loss import ClassLoss, label_indices
from keras_cait.distillation.losses import DistillationLoss
from keras_cait.distillation.per_example_values import per_example_values
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class Objective:
    """loss = (1 - alpha) * class loss + alpha * distillation loss.

    The class loss reads the class head. The distillation loss reads the
    distillation head, or the class head of a student with one head. Without
    distillation the class loss is the whole loss, and it reads the mean of the
    heads, which is the model's prediction (timm trains a distilled model
    without a teacher in the same way).
    """

    class_loss: ClassLoss
    distillation: DistillationLoss | None
    alpha: float
    has_many_replicas: bool = False  # each computes it from its own examples

    def losses(
        self,
        labels: Tensor,
        outputs: dict[str, Tensor],
        teacher_logits: Tensor | None,
        sample_weight: Tensor | None,
    ) -> dict[str, Tensor]:
        """The loss and its parts, by the names of the logs.

        `outputs` holds the logits of the heads, "class" and perhaps "distillation".
        Each loss is `(batch,)`, and already multiplied by `sample_weight`.
        """
        class_logits = ops.cast(outputs["class"], "float32")
        logits = ops.cast(outputs.get("distillation", outputs["class"]), "float32")
        options = {
            "allows_batch_mean": sample_weight is None and not self.has_many_replicas
        }
        if self.distillation is None:
            class_logits = (class_logits + logits) / 2
        values = self.class_loss(labels, class_logits)
        values = per_example_values(values, logits, argument="loss", **options)
        losses = {"class_loss": values, "loss": values}
        if self.distillation is not None:
            values = self.distillation(teacher_logits, logits)
            values = per_example_values(
                values, logits, argument="distillation", **options
            )
            losses["distillation_loss"] = values
            losses["loss"] = (1 - self.alpha) * losses["loss"] + self.alpha * values
        if sample_weight is not None:
            weight = ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
            losses = {name: weight * values for name, values in losses.items()}
        return losses


def agreements(
    labels: Tensor, outputs: dict[str, Tensor], teacher_logits: Tensor | None
) -> dict[str, Tensor]:
    """1 where two classifications agree and 0 where not, by the names of the logs.

    "accuracy" is that of the student's own output, the mean of its heads;
    "class_accuracy" and "distillation_accuracy" are those of each head of two;
    "teacher_agreement" compares the student's output with the teacher's.
    Each is `(batch,)`.
    """
    truth = label_indices(labels, outputs["class"])
    predictions = {"accuracy": outputs["predictions"]}
    if "distillation" in outputs:
        predictions["class_accuracy"] = outputs["class"]
        predictions["distillation_accuracy"] = outputs["distillation"]
    found = {name: _agree(truth, logits) for name, logits in predictions.items()}
    if teacher_logits is not None:
        teacher = ops.argmax(teacher_logits, axis=-1)
        found["teacher_agreement"] = _agree(teacher, outputs["predictions"])
    return found


def _agree(indices: Tensor, logits: Tensor) -> Tensor:
    choice = ops.cast(ops.argmax(logits, axis=-1), "int32")
    return ops.cast(ops.equal(ops.cast(indices, "int32"), choice), "float32")
