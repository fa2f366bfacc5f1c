"""How `Distiller` trains on TensorFlow, on one replica or many."""

import warnings
from typing import Any

import keras
import tensorflow as tf

from keras_cait.distillation.batch_statistics import BatchStatistics
from keras_cait.typing import Tensor


class TensorFlowSteps:
    """One training and one evaluation step, written for `tf.distribute`.

    Inside a replica only the passes through teacher and student are compiled
    with XLA. Keras compiles the whole step, reduction over replicas included,
    which XLA refuses under MirroredStrategy.

    Keras's `fit` fails with many workers at two places, which are mended here
    (keras#20585): it looks at a batch of all of them to build by, and takes logs for
    batches of values. There a step logs its loss alone, an epoch everything.
    """

    own_trackers = ()

    def counted(self, labels: Tensor) -> None:
        """All examples: a replica that has none of a batch takes part with nothing."""

    @property
    def is_split(self) -> bool:
        """Whether each of several replicas sees only a part of a batch."""
        return self.distribute_strategy.num_replicas_in_sync > 1

    @property
    def shares_statistics(self) -> bool:
        """Whether the student's normalization needs the images of all replicas."""
        return self.is_split and bool(BatchStatistics(self.student).layers)

    @property
    def _has_many_workers(self) -> bool:
        return self.distribute_strategy.extended._in_multi_worker_mode()

    def _maybe_symbolic_build(
        self, iterator: Any = None, data_batch: Any = None
    ) -> None:
        if self._has_many_workers and iterator is not None:
            _, _, batches = next(iter(iterator))
            local = self.distribute_strategy.experimental_local_results
            data_batch = tf.nest.map_structure(
                lambda part: local(part)[0], next(batches)
            )
            iterator = None
        with self.distribute_strategy.scope():
            # Now, since BackupAndRestore looks for its state before the first step.
            self.optimizer.build(self.trainable_variables)
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _compile_steps(self, optimizer: Any, jit_compile: Any, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, jit_compile=False, **kwargs)
        self._statistics = BatchStatistics(self.student)
        if jit_compile is True and self.shares_statistics:
            raise ValueError(
                "`jit_compile` cannot be True for a student with BatchNormalization on "
                "several replicas: it takes the statistics of all of them, and XLA "
                'compiles one. Received: jit_compile=True. Pass "auto" or False.'
            )
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU"))
        self._train_pass, self._test_pass = self._differentiate, self._evaluate
        if jit_compile and not self.run_eagerly:
            compiled = {
                "jit_compile": True,
                "reduce_retracing": True,
                "autograph": False,
            }
            if not self.shares_statistics:
                self._train_pass = tf.function(self._differentiate, **compiled)
            self._test_pass = tf.function(self._evaluate, **compiled)
        if self.is_split:
            _reduce_outside(self.optimizer)

    def make_train_function(self, force: bool = False) -> None:
        if self.train_function is not None and not force:
            return
        super().make_train_function(force=force)
        if self.shares_statistics:
            step = self.train_function

            def shared_step(iterator: Any) -> Any:
                with self._statistics.shared():
                    return step(iterator)

            self.train_function = shared_step

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y, given = self.targets(y)
        examples = _sum_over_replicas(tf.cast(tf.shape(y)[0], "float32"))
        teacher_images = self.teacher_images(x) if given is None else None
        outputs, teacher_logits, losses, gradients = self._train_pass(
            x, y, sample_weight, teacher_images, given, examples
        )
        # A weight that took no part in the loss has None for a gradient.
        pairs = zip(gradients, self.trainable_variables, strict=True)
        pairs = [(gradient, v) for gradient, v in pairs if gradient is not None]
        if pairs:
            gradients, variables = zip(*pairs, strict=True)
            self.optimizer.apply(_sum_over_replicas(list(gradients)), variables)
        else:
            warnings.warn("The student has no trainable weights.", stacklevel=2)
        return self._logs(x, y, outputs, teacher_logits, losses, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y, given = self.targets(y)
        teacher_images = self.teacher_images(x) if given is None else None
        outputs, teacher_logits, losses = self._test_pass(
            x, y, sample_weight, teacher_images, given
        )
        return self._logs(x, y, outputs, teacher_logits, losses, sample_weight)

    def _differentiate(
        self,
        x: Tensor,
        y: Tensor,
        sample_weight: Tensor | None,
        teacher_images: Tensor | None,
        given: Tensor | None,
        examples: Tensor,
    ) -> tuple[Any, Tensor | None, dict[str, Tensor], list[Tensor]]:
        """This replica's part of the gradients of the whole batch's mean loss."""
        teacher_logits = self._taught(teacher_images, given)
        with tf.GradientTape() as tape:
            outputs = self._forward_student(x, training=True)
            losses = self.example_losses(y, outputs, teacher_logits, sample_weight)
            # Every replica divides by the examples of all replicas, so that the
            # sum of their gradients is the gradient of the mean.
            loss = tf.reduce_sum(losses["loss"]) / examples
            regularization = sum(self.student.losses)
            loss += regularization / self.distribute_strategy.num_replicas_in_sync
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        losses = losses | {"loss": losses["loss"] + regularization}
        return outputs, teacher_logits, losses, gradients

    def _evaluate(
        self,
        x: Tensor,
        y: Tensor,
        sample_weight: Tensor | None,
        teacher_images: Tensor | None,
        given: Tensor | None,
    ) -> tuple[Any, Tensor | None, dict[str, Tensor]]:
        teacher_logits = self._taught(teacher_images, given)
        outputs = self._forward_student(x, training=False)
        losses = self.example_losses(y, outputs, teacher_logits, sample_weight)
        losses = losses | {"loss": losses["loss"] + sum(self.student.losses)}
        return outputs, teacher_logits, losses

    def _taught(self, images: Tensor | None, given: Tensor | None) -> Tensor | None:
        """What the teacher says of the images, unless that came with the batch."""
        if images is None:
            return given
        logits = self.teacher_logits(_never_empty(images))
        return None if logits is None else logits[: tf.shape(images)[0]]

    def _forward_student(self, images: Tensor, training: bool) -> dict[str, Tensor]:
        number = tf.shape(images)[0]
        with self._statistics.of_images(number):
            outputs = self(_never_empty(images), training=training)
        return {name: out[:number] for name, out in outputs.items()}

    def _logs(
        self,
        x: Tensor,
        y: Tensor,
        outputs: dict[str, Tensor],
        teacher_logits: Tensor | None,
        losses: dict[str, Tensor],
        sample_weight: Tensor | None,
    ) -> dict[str, Any]:
        # The trackers get every example's own, unscaled loss, so that the log
        # does not depend on how the batch was split.
        self._loss_tracker.update_state(losses["loss"])
        self.track(y, outputs, teacher_logits, losses)
        logs = self.compute_metrics(x, y, outputs, sample_weight)
        if self._has_many_workers:
            # Each log would cost two messages a step; an epoch's are whole anyway.
            logs = {"loss": tf.reshape(logs["loss"], (1,))}
        return logs

    def _get_metrics_result_or_logs(self, logs: Any) -> dict[str, Any]:
        if self._has_many_workers:
            return self.get_metrics_result()
        return super()._get_metrics_result_or_logs(logs)


def _never_empty(images: Tensor) -> Tensor:
    """A batch of one black image in place of an empty one.

    The last batch may have nothing left for a replica, which still has to take
    part in the step; TensorFlow's convolutions give an empty batch a wrong shape.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return images
    missing = tf.cast(tf.equal(tf.shape(images)[0], 0), "int32")
    return tf.pad(images, [[0, missing]] + [[0, 0]] * (len(images.shape) - 1))


def _sum_over_replicas(values: Any) -> Any:
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def _reduce_outside(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets an optimizer take gradients that are summed over the replicas already.

    Keras clips each replica's gradients, and looks for infinities in the first
    replica's alone, before it sums them: a step that depends on the number of
    replicas. Summing first, as `train_step` does, makes both see the same
    gradients on any number.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda gradients_and_variables: (
        gradients_and_variables
    )
