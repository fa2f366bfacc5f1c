"""Features of a whole image: the input of a classifier's head."""

import keras

from keras_cait.models.logits import HEAD_LAYERS, head_logits
from keras_cait.typing import Tensor


def head_features(model: keras.Model) -> Tensor:
    """The symbolic input of a classifier's head, `(batch, dim)`.

    It is the class token after the last norm, or the mean over the feature map of a
    convnet. Of a distilled model it is the mean of class and distillation token, as
    `pooling="token"` of the builders and `forward_head(pre_logits=True)` of timm give.
    Raises `ValueError` if the model is no classifier.
    """
    vectors = [model.get_layer(HEAD_LAYERS[name]).input for name in head_logits(model)]
    if len(vectors) == 1:
        return vectors[0]
    return keras.layers.Average(dtype="float32", name="features")(vectors)
