"""The distillation objective, on any backend: logits in, numbers an example out."""

from dataclasses import dataclass

from keras import ops

from keras_cait.distillation.class_loss import ClassLoss, label_indices
from keras_cait.distillation.example_values import example_values
from keras_cait.distillation.losses import DistillationLoss
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class Objective:
    """loss = (1 - alpha) * class loss + alpha * distillation loss.

    The class loss reads the class head. The distillation loss reads the
    distillation head, and the class head where there is no other. Without
    distillation the class loss is all there is, and it reads the mean of the
    heads, which is what the model predicts with (timm trains a distilled model
    without a teacher in the same way).

    Attributes:
        class_loss: `(labels, logits)` to values; see `example_values`.
        distillation: `(teacher logits, student logits)` to values, or None.
        alpha: Weight of the distillation loss, in [0, 1].
        is_split: Whether several replicas compute it, each from its own examples.
    """

    class_loss: ClassLoss
    distillation: DistillationLoss | None
    alpha: float
    is_split: bool = False

    def losses(
        self,
        labels: Tensor,
        heads: dict[str, Tensor],
        teacher_logits: Tensor | None,
        sample_weight: Tensor | None,
    ) -> dict[str, Tensor]:
        """The loss and its parts, by the names they are logged under.

        Each `(batch,)`, and already multiplied by `sample_weight`.
        """
        heads = {name: ops.cast(logits, "float32") for name, logits in heads.items()}
        taught = heads.get("distillation", heads["class"])
        may_mix = sample_weight is None and not self.is_split

        def by_example(values: Tensor, argument: str) -> Tensor:
            return example_values(values, taught, argument=argument, may_mix=may_mix)

        if self.distillation is None:
            mean = (heads["class"] + taught) / 2
            parts = {"class_loss": by_example(self.class_loss(labels, mean), "loss")}
            parts["loss"] = parts["class_loss"]
        else:
            class_loss = self.class_loss(labels, heads["class"])
            distillation_loss = self.distillation(teacher_logits, taught)
            parts = {
                "class_loss": by_example(class_loss, "loss"),
                "distillation_loss": by_example(distillation_loss, "distillation"),
            }
            parts["loss"] = (1 - self.alpha) * parts["class_loss"]
            parts["loss"] += self.alpha * parts["distillation_loss"]
        if sample_weight is not None:
            weight = ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
            parts = {name: weight * values for name, values in parts.items()}
        return parts


def matches(
    labels: Tensor, outputs: dict[str, Tensor], teacher_logits: Tensor | None
) -> dict[str, Tensor]:
    """1 where two agree and 0 where not, by the names they are logged under.

    "accuracy" is that of the student's own output, the mean of its heads;
    "class_accuracy" and "distillation_accuracy" those of each head, where there
    are two; "teacher_agreement" compares the student's output with the teacher.
    Each `(batch,)`.
    """
    truth = label_indices(labels, outputs["class"])
    answers = {"accuracy": outputs["predictions"]}
    if "distillation" in outputs:
        answers["class_accuracy"] = outputs["class"]
        answers["distillation_accuracy"] = outputs["distillation"]
    found = {name: _agree(truth, logits) for name, logits in answers.items()}
    if teacher_logits is not None:
        teacher = ops.argmax(teacher_logits, axis=-1)
        found["teacher_agreement"] = _agree(teacher, outputs["predictions"])
    return found


def _agree(indices: Tensor, logits: Tensor) -> Tensor:
    choice = ops.cast(ops.argmax(logits, axis=-1), "int32")
    return ops.cast(ops.equal(ops.cast(indices, "int32"), choice), "float32")
