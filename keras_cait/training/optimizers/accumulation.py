"""Gradient accumulation on any number of replicas."""

import keras
from keras.optimizers.schedules import LearningRateSchedule

from keras_cait.typing import Tensor


class Accumulation:
    """Mixin of an optimizer whose gradient accumulation works on many replicas.

    Every k-th batch takes one step, with the mean gradient of k batches. Clipping,
    weight decay and averaging are those of one large batch. In Keras each replica
    decides by itself whether to step, and TensorFlow does not let replicas exchange
    gradients inside of that condition; here all replicas decide at once. Keras calls
    a learning-rate schedule with the number of batches; here it gets the number of
    steps. It stands before a class of `keras.optimizers` among the bases.
    """

    def _get_current_learning_rate(self) -> Tensor:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return super()._get_current_learning_rate()

    def _backend_apply_gradients(
        self, grads: list[Tensor], trainable_variables: list[keras.Variable]
    ) -> None:
        batches = self.gradient_accumulation_steps
        if not batches or keras.backend.backend() != "tensorflow":
            super()._backend_apply_gradients(grads, trainable_variables)
            return
        import tensorflow as tf

        indices = [self._get_variable_index(v) for v in trainable_variables]
        sums = [self._accumulated_gradients[index] for index in indices]
        self._backend_increment_gradient_accumulators(grads, sums)

        def step() -> None:
            means = self._clip_gradients([total / batches for total in sums])
            self._apply_weight_decay(trainable_variables)
            self._backend_update_step(means, trainable_variables, self.learning_rate)
            self._backend_reset_gradient_accumulators()
            self._update_model_variables_moving_average(self._trainable_variables)

        def step_if_due(strategy: tf.distribute.Strategy) -> None:
            due = (self._iterations + 1) % batches == 0
            run = strategy.extended.call_for_each_replica
            tf.cond(due, lambda: run(step), lambda: None)

        tf.distribute.get_replica_context().merge_call(step_if_due)
