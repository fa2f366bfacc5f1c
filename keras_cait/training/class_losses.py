"""Losses against the labels, by name."""

from collections.abc import Callable

import keras
from keras import ops

from keras_cait.typing import Tensor


def class_loss(name: str) -> Callable[[Tensor, Tensor], Tensor] | None:
    """The loss for `Distiller.compile`, where None stands for "softmax"."""
    losses = {"softmax": None, "sigmoid": sigmoid_cross_entropy}
    if name not in losses:
        raise ValueError(f'`loss` must be "softmax" or "sigmoid". Received: {name!r}')
    return losses[name]


@keras.saving.register_keras_serializable(package="keras_cait")
def sigmoid_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Binary cross-entropy of each class: DeiT-III's loss, `(batch,)`.

    `mean over classes of -(t log s(x) + (1 - t) log(1 - s(x)))`, with `t = 1` for
    every class that has a part in the label, so that both images of a mixture count
    in full. Labels are `(batch,)` integers, or `(batch, classes)` parts of each class.

    Reference:
        Touvron et al., DeiT III: Revenge of the ViT, section 3,
        https://arxiv.org/abs/2204.07118
    """
    if len(labels.shape) == 1:
        labels = ops.one_hot(labels, logits.shape[-1])
    present = ops.cast(labels > 0, logits.dtype)
    return keras.losses.binary_crossentropy(present, logits, from_logits=True)
