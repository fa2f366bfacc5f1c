"""`Distiller`, the model that trains a student on labels and on a teacher's logits."""

from collections.abc import Callable
from typing import Any, Literal

import keras
from keras import ops

from keras_cait.distillation.batch_labels import labels_and_logits
from keras_cait.distillation.class_loss import get_class_loss
from keras_cait.distillation.losses import DistillationLoss, get_distillation_loss
from keras_cait.distillation.objective import Objective, agreements
from keras_cait.distillation.saving import ARGUMENTS, Saving
from keras_cait.distillation.student_and_teacher import (
    check_student,
    check_teacher,
    inference_logits,
    teacher_output_kind,
    training_policy,
)
from keras_cait.distillation.trackers import Trackers
from keras_cait.models.functional_model import with_outputs
from keras_cait.models.logits import OutputKind, head_logits
from keras_cait.typing import Tensor

if keras.backend.backend() == "tensorflow":
    from keras_cait.distillation.tensorflow_steps import TensorFlowSteps as Steps
else:
    from keras_cait.distillation.keras_steps import KerasSteps as Steps


@keras.saving.register_keras_serializable(package="keras_cait")
class Distiller(Saving, Steps, keras.Model):  # pyright: ignore[reportGeneralTypeIssues]
    """Trains a student on labels and on the predictions of a frozen teacher.

    `loss = (1 - alpha) * class_loss(labels, class head)
    + alpha * distillation_loss(teacher, distillation head)`

    The teacher gets exactly the student's batch, in inference mode, and does not
    change. Both losses are computed on logits in float32, whatever activation and
    precision the student has. A student with one head is distilled through that
    head. With `distillation="none"` the class loss reads the mean of the heads, as
    the student's own output does.

    The teacher's logits may come with the data: batches of `(images, {"labels":
    labels, "teacher_logits": logits})` train alike and spare its forward pass.

    On TensorFlow the step is the same on one device and on many: the sum over
    all examples of all replicas divided by their number, even if the last batch
    does not divide evenly. Batch normalization uses the statistics of the whole
    batch in training. Create the distiller, student and teacher inside
    `strategy.scope()`.

    Args:
        student: A model of this package, or any functional classifier.
        teacher: A classifier with as many classes; None with "none".
        distillation: "hard", "soft", "none", or a loss object such as
            `SoftDistillation(temperature=3.0)`.
        alpha: Weight of the distillation loss, in [0, 1]. The paper has 0.5
            for hard distillation and 0.1 for soft.
        teacher_preprocessing: Maps the student's images to the teacher's (of
            another size or range): a layer, a model or a function.
        teacher_output: "logits", "probabilities", or "auto" to derive it from the
            teacher's last layers.
        **kwargs: `name` and the other `keras.Model` arguments.

    The arguments are attributes that cannot be changed afterwards.

    A call returns a dictionary: the logits of the heads by name ("class" and
    perhaps "distillation"), and "predictions", the student's own output.

    Logged: loss, class_loss, distillation_loss; accuracy (of the student's
    output), class_accuracy and distillation_accuracy (of each head),
    teacher_agreement.

    Raises:
        ValueError: If an argument is out of range, student and teacher do not
            fit each other, or the kind of the teacher's output is unknown.

    Example:
        >>> import numpy as np
        >>> import keras_cait
        >>> student = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=16, depth=1,
        ...     num_heads=2, classes=4, distilled=True,
        ... )
        >>> teacher = keras.Sequential([keras.Input((16, 16, 3)),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)])
        >>> distiller = Distiller(student, teacher, distillation="hard", alpha=0.5)
        >>> distiller.compile("adamw")
        >>> images, labels = np.zeros((8, 16, 16, 3), "float32"), np.arange(8) % 4
        >>> history = distiller.fit(images, labels, verbose=0)
        >>> sorted(history.history)[:3]
        ['accuracy', 'class_accuracy', 'class_loss']

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4, https://arxiv.org/abs/2012.12877

    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model | None = None,
        distillation: str | DistillationLoss = "hard",
        alpha: float = 0.5,
        teacher_preprocessing: Callable[[Tensor], Tensor] | None = None,
        *,
        teacher_output: OutputKind | Literal["auto"] = "auto",
        **kwargs: Any,
    ) -> None:
        # The student's policy decides whether the optimizer scales the loss; the
        # images reach the student and the teacher without a cast.
        options = {"dtype": training_policy(student), "autocast": False}
        super().__init__(**options | kwargs)
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must be in [0, 1]. Received: alpha={alpha}")
        if teacher_output not in ("auto", "logits", "probabilities"):
            raise ValueError(
                '`teacher_output` must be "auto", "logits" or "probabilities". '
                f"Received: teacher_output={teacher_output!r}"
            )
        self.distillation_loss = get_distillation_loss(distillation)
        heads = head_logits(student)
        check_student(student)
        if self.distillation_loss is not None:
            teacher = check_teacher(teacher, student, teacher_preprocessing)
            if teacher_output == "auto":
                teacher_output = teacher_output_kind(teacher)
        self.student = student
        self.teacher = teacher
        self.distillation = distillation
        self.alpha = alpha
        self.teacher_preprocessing = teacher_preprocessing
        self.teacher_output: Any = teacher_output
        model = with_outputs(student, {**heads, "predictions": student.outputs[0]})
        # A plain function, so that the weights are tracked, listed and saved
        # once only, as the student's.
        self._forward = lambda images, training: model(images, training=training)
        names = [*self.extra_trackers, "class_loss", "accuracy"]
        if "distillation" in heads:
            names += ["class_accuracy", "distillation_accuracy"]
        if self.distillation_loss is not None:
            names += ["distillation_loss", "teacher_agreement"]
        self.trackers = Trackers(names)
        self.built = True
        self._is_complete = True

    def __setattr__(self, name: str, value: Any) -> None:
        is_fixed = name in ARGUMENTS or name == "distillation_loss"
        if is_fixed and getattr(self, "_is_complete", False):
            raise AttributeError(
                f"`{name}` of a Distiller cannot be changed: its compiled step "
                f"depends on it. Received: {name}={value!r}. Make a new "
                f"Distiller(student, teacher, {name}=...), whose student trains on."
            )
        super().__setattr__(name, value)

    def call(self, inputs: Tensor, training: bool = False) -> dict[str, Tensor]:
        return self._forward(inputs, training)

    def compile(
        self,
        optimizer: Any = "adamw",
        loss: Any = None,
        *,
        jit_compile: bool | Literal["auto"] = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training.

        Args:
            optimizer: As in `keras.Model.compile`.
            loss: The class loss. None for cross-entropy, whose form follows the
                labels (integer, one-hot or soft); a Keras cross-entropy, by name
                or as an object with options such as label smoothing; or a
                function of (labels, logits), or a `keras.losses.Loss`, that gives
                one number an example, `(batch,)`. As in Keras, several numbers an
                example are averaged, and one number for the whole batch is
                possible on one replica and without sample weights.
            jit_compile: Whether XLA compiles the forward and backward passes;
                "auto" does on a GPU, and on JAX always. It works under a
                distribution strategy too, except for a student with batch
                normalization, whose training pass "auto" does not compile.
            **kwargs: `metrics` (on the student's output), `run_eagerly` and the
                other arguments of `keras.Model.compile`.

        Raises:
            ValueError: If `loss` takes no logits, is reduced to something other
                than the mean, or is several losses; if `loss_weights` is given,
                since `alpha` weighs the two losses; or if XLA would have to compile
                a student that shares statistics between replicas.

        """
        if "loss_weights" in kwargs:
            raise ValueError(
                "The losses are weighed by `alpha`, an argument of Distiller(...). "
                f"Received: loss_weights={kwargs['loss_weights']!r}"
            )
        self._objective = Objective(
            class_loss=get_class_loss(loss),
            distillation=self.distillation_loss,
            alpha=self.alpha,
            has_many_replicas=self.has_many_replicas,
        )
        self._compiled_with = {"loss": loss, "jit_compile": jit_compile}
        self._compile_steps(optimizer, jit_compile, **kwargs)

    def teacher_images(self, images: Tensor) -> Tensor:
        """The student's batch, preprocessed for the teacher."""
        if self.teacher_preprocessing is None:
            return images
        return self.teacher_preprocessing(images)

    def teacher_logits(self, images: Tensor) -> Tensor | None:
        """The teacher's logits for its images, `(batch, classes)` in float32."""
        if self.distillation_loss is None or self.teacher is None:
            return None
        return inference_logits(self.teacher, images, self.teacher_output)

    def labels_and_logits(self, y: Any) -> tuple[Tensor, Tensor | None]:
        """The labels of a batch, and the teacher's logits if they came with it."""
        labels, logits = labels_and_logits(y, self.student.outputs[0].shape[-1])
        if logits is None or self.distillation_loss is None:
            return labels, None
        return labels, ops.cast(logits, "float32")

    def track(
        self,
        labels: Tensor,
        outputs: dict[str, Tensor],
        teacher_logits: Tensor | None,
        losses: dict[str, Tensor],
    ) -> None:
        """Adds one batch to the logged means."""
        values = losses | agreements(labels, outputs, teacher_logits)
        self.trackers.update_state(values, self.tracking_weight(labels))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        labels, _ = self.labels_and_logits(y)
        predictions = y_pred["predictions"]
        return super().compute_metrics(x, labels, predictions, sample_weight)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The student's; the teacher is not trained, and its `trainable` is not set."""
        return self.student.trainable_variables

    @property
    def non_trainable_variables(self) -> list[keras.Variable]:
        return _without(self.variables, self.trainable_variables)

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        return self.student.trainable_weights

    @property
    def non_trainable_weights(self) -> list[keras.Variable]:
        return _without(self.weights, self.trainable_weights)


def _without(
    variables: list[keras.Variable], excluded: list[keras.Variable]
) -> list[keras.Variable]:
    ids = {id(variable) for variable in excluded}
    return [variable for variable in variables if id(variable) not in ids]
