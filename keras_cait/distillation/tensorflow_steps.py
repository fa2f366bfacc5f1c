"""Training and evaluation steps of `Distiller` on TensorFlow."""

import functools
import warnings
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_cait.distillation.batch_statistics import BatchStatistics
from keras_cait.typing import Tensor


class _Batch(NamedTuple):
    """A replica's part of a batch; of the last two fields one is None."""

    images: Tensor
    labels: Tensor
    sample_weight: Tensor | None
    teacher_images: Tensor | None
    teacher_logits: Tensor | None


class TensorFlowSteps:
    """One training and one evaluation step, written for `tf.distribute`.

    Inside a replica only the passes through teacher and student are compiled
    with XLA. Keras compiles the whole step, reduction over replicas included,
    which XLA refuses under MirroredStrategy.

    Keras's `fit` fails with many workers at two places, which are corrected here
    (keras#20585): it builds the model from a batch of all workers, and it reduces
    scalar logs as if they were batches. With many workers a step logs its loss alone,
    and an epoch everything.
    """

    extra_trackers = ()

    def tracking_weight(self, labels: Tensor) -> None:
        """None, for all examples: batches have no padding on TensorFlow."""

    @property
    def has_many_replicas(self) -> bool:
        """Whether each of several replicas gets a part of a batch."""
        return self.distribute_strategy.num_replicas_in_sync > 1

    @property
    def synchronizes_batch_norm(self) -> bool:
        """Whether the student's normalization needs the images of all replicas."""
        return self.has_many_replicas and bool(BatchStatistics(self.student).layers)

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
        if jit_compile is True and self.synchronizes_batch_norm:
            raise ValueError(
                "`jit_compile` cannot be True for a student with BatchNormalization on "
                "several replicas: it takes the statistics of all of them, and XLA "
                'compiles one. Received: jit_compile=True. Pass "auto" or False.'
            )
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU"))
        self._train_pass, self._test_pass = self._compute_gradients, self._evaluate
        if jit_compile and not self.run_eagerly:
            options = {"jit_compile": True, "reduce_retracing": True}
            compiled = functools.partial(tf.function, autograph=False, **options)
            if not self.synchronizes_batch_norm:
                self._train_pass = compiled(self._compute_gradients)
            self._test_pass = compiled(self._evaluate)
        if self.has_many_replicas:
            _skip_reduction(self.optimizer)

    def make_train_function(self, force: bool = False) -> None:
        if self.train_function is not None and not force:
            return
        super().make_train_function(force=force)
        if self.synchronizes_batch_norm:
            step = self.train_function

            def synchronized_step(iterator: Any) -> Any:
                with self._statistics.synchronized():
                    return step(iterator)

            self.train_function = synchronized_step

    def train_step(self, data: Any) -> dict[str, Any]:
        batch = self._unpack(data)
        examples = tf.cast(tf.shape(batch.labels)[0], "float32")
        outputs, teacher_logits, losses, gradients = self._train_pass(
            batch, _sum_over_replicas(examples)
        )
        # A weight without influence on the loss has the gradient None.
        pairs = zip(gradients, self.trainable_variables, strict=True)
        pairs = [(gradient, v) for gradient, v in pairs if gradient is not None]
        if pairs:
            gradients, variables = zip(*pairs, strict=True)
            self.optimizer.apply(_sum_over_replicas(list(gradients)), variables)
        else:
            warnings.warn("The student has no trainable weights.", stacklevel=2)
        return self._log(batch, outputs, teacher_logits, losses)

    def test_step(self, data: Any) -> dict[str, Any]:
        batch = self._unpack(data)
        outputs, teacher_logits, losses = self._test_pass(batch)
        return self._log(batch, outputs, teacher_logits, losses)

    def _unpack(self, data: Any) -> _Batch:
        images, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        labels, logits = self.labels_and_logits(targets)
        teacher_images = self.teacher_images(images) if logits is None else None
        return _Batch(images, labels, sample_weight, teacher_images, logits)

    def _compute_gradients(
        self, batch: _Batch, examples: Tensor
    ) -> tuple[Any, Tensor | None, dict[str, Tensor], list[Tensor]]:
        """This replica's part of the gradients of the whole batch's mean loss."""
        teacher_logits = self._teacher_logits_of(batch)
        with tf.GradientTape() as tape:
            outputs, losses = self._forward_student(batch, teacher_logits, True)
            # Every replica divides by the examples of all replicas, so that the
            # sum of their gradients is the gradient of the mean.
            loss = tf.reduce_sum(losses["loss"]) / examples
            regularization = sum(self.student.losses)
            loss += regularization / self.distribute_strategy.num_replicas_in_sync
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        losses["loss"] += regularization
        return outputs, teacher_logits, losses, gradients

    def _evaluate(self, batch: _Batch) -> tuple[Any, Tensor | None, dict[str, Tensor]]:
        teacher_logits = self._teacher_logits_of(batch)
        outputs, losses = self._forward_student(batch, teacher_logits, False)
        losses["loss"] += sum(self.student.losses)
        return outputs, teacher_logits, losses

    def _teacher_logits_of(self, batch: _Batch) -> Tensor | None:
        if batch.teacher_images is None:
            return batch.teacher_logits
        logits = self.teacher_logits(_without_empty_batch(batch.teacher_images))
        return None if logits is None else logits[: tf.shape(batch.teacher_images)[0]]

    def _forward_student(
        self, batch: _Batch, teacher_logits: Tensor | None, training: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The student's outputs, and the losses of each example."""
        number = tf.shape(batch.images)[0]
        with self._statistics.limited_to(number):
            outputs = self(_without_empty_batch(batch.images), training=training)
        outputs = {name: output[:number] for name, output in outputs.items()}
        return outputs, self._objective.losses(
            batch.labels, outputs, teacher_logits, batch.sample_weight
        )

    def _log(
        self,
        batch: _Batch,
        outputs: dict[str, Tensor],
        teacher_logits: Tensor | None,
        losses: dict[str, Tensor],
    ) -> dict[str, Any]:
        # The trackers get every example's own, unscaled loss, so that the log
        # does not depend on how the batch was split.
        self._loss_tracker.update_state(losses["loss"])
        self.track(batch.labels, outputs, teacher_logits, losses)
        logs = self.compute_metrics(
            batch.images, batch.labels, outputs, batch.sample_weight
        )
        if self._has_many_workers:
            # Each log would cost two messages a step; an epoch's are complete anyway.
            logs = {"loss": tf.reshape(logs["loss"], (1,))}
        return logs

    def _get_metrics_result_or_logs(self, logs: Any) -> dict[str, Any]:
        if self._has_many_workers:
            return self.get_metrics_result()
        return super()._get_metrics_result_or_logs(logs)


def _without_empty_batch(images: Tensor) -> Tensor:
    """The images, or a black one if there are none.

    A replica may get no image of the last batch and still has to run the step;
    TensorFlow's convolutions give an empty batch a wrong shape.
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


def _skip_reduction(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer take gradients that are already summed over the replicas.

    Keras clips each replica's gradients, and looks for infinities in the first
    replica's alone, before it sums them: a step that depends on the number of
    replicas. Summing first, as `train_step` does, makes both work on the same
    gradients on any number.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda gradients_and_variables: (
        gradients_and_variables
    )
