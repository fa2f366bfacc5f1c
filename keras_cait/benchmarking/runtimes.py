"""A model as a function of a batch of images, in each runtime.

A runtime loads the model, and makes from a batch the call that is timed: images in
memory to probabilities in memory. Keras's runtimes have random weights, which are as
fast as others, and the model's preprocessing inside; the files are those of
`keras_cait.export`, without its checks.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.layers.precision import dtype_policy_scope
from keras_cait.processors import processors
from keras_cait.training.programs.students import build_student

Loaded = Callable[[np.ndarray], Callable[[], Any]]


@dataclass(frozen=True)
class Source:
    """A model, and the folder for its files.

    Attributes:
        name: A builder's name, or sizes of a CaiT as `build_student` takes them.
        image_size: Side of the images in pixels.
        precision: "float32"; "float16" or "bfloat16" for a mixed policy of Keras, and
            float16 for the weights of a TFLite file.
        files: Folder in which a file is written that is not there yet.
    """

    name: str
    image_size: int
    precision: str
    files: Path

    def build(self) -> keras.Model:
        """The Keras model, with random weights; it takes images in [0, 255]."""
        policy = self.precision
        policy = policy if policy == "float32" else f"mixed_{policy}"
        with dtype_policy_scope(policy):
            return build_student(
                self.name,
                "cait",
                "deit",
                "deit3",
                input_shape=(self.image_size, self.image_size, 3),
                classes=1000,
                distilled=self.name.endswith("_Distilled"),
            )

    def file(self, format: str) -> Path:
        """The model in a format of export, written by a process of its own."""
        path = self.files / f"{self.name}_{self.image_size}_{self.precision}.{format}"
        if not path.exists():
            context = get_context("spawn")
            with ProcessPoolExecutor(max_workers=1, mp_context=context) as processes:
                processes.submit(write, self, format, path).result()
        return path

    def file_mb(self, format: str) -> float:
        """Size of a file, or of a SavedModel's folder, in 10**6 bytes."""
        from keras_cait.export.pipeline.report import size_on_disk

        return size_on_disk(self.file(format)) / 1e6


def write(source: Source, format: str, path: Path) -> None:
    """Writes a file as `keras_cait.export` does, without its checks."""
    # These need TensorFlow, which the process of another runtime does not load.
    from keras_cait.export.to_onnx import OnnxFormat
    from keras_cait.export.to_saved_model import SavedModelFormat
    from keras_cait.export.to_tflite import TfliteFormat

    writers = {
        "saved_model": SavedModelFormat(top=5),
        "onnx": OnnxFormat(opset=18),
        "tflite": TfliteFormat(
            precision="float16" if source.precision == "float16" else "float32",
            representative=None,
            images=None,
            tolerance=None,
            keep_anyway=False,
        ),
    }
    writer = writers[format]
    writer.write(writer.prepare(source.build()), path)


def _predict(source: Source) -> Loaded:
    """`model.predict`, as a user calls it."""
    model = source.build()
    return lambda images: (
        lambda: model.predict(images, batch_size=len(images), verbose=0)
    )


def _graph(source: Source) -> Loaded:
    """The model as a TensorFlow graph, without XLA."""
    return _function(source, jit=False)


def _xla(source: Source) -> Loaded:
    """The model compiled by XLA, in TensorFlow."""
    return _function(source, jit=True)


def _function(source: Source, *, jit: bool) -> Loaded:
    import tensorflow as tf

    model = source.build()
    function = tf.function(
        lambda images: model(images, training=False), jit_compile=jit, autograph=False
    )

    def with_images(images: np.ndarray) -> Callable[[], Any]:
        tensor = tf.constant(images)
        return lambda: function(tensor).numpy()

    return with_images


def _jax(source: Source) -> Loaded:
    """The model compiled by JAX; the process has KERAS_BACKEND=jax."""
    import jax

    function = compiled_by_jax(source.build())

    def with_images(images: np.ndarray) -> Callable[[], Any]:
        array = jax.numpy.asarray(images)
        return lambda: np.asarray(function(array))

    return with_images


def compiled_by_jax(model: keras.Model) -> Callable[[Any], Any]:
    """The model's inference as a compiled function of JAX arrays."""
    import jax

    weights = [variable.value for variable in model.trainable_variables]
    state = [variable.value for variable in model.non_trainable_variables]
    function = jax.jit(partial(model.stateless_call, training=False))
    return lambda images: function(weights, state, images)[0]


def _saved_model(source: Source) -> Loaded:
    """The SavedModel's signature `probabilities`, of pixels, in TensorFlow."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(source.file("saved_model")))

    def with_images(images: np.ndarray) -> Callable[[], Any]:
        tensor = tf.constant(images)
        # Of `loaded`, because a signature does not keep its variables.
        return lambda: loaded.signatures["probabilities"](images=tensor)[
            "probabilities"
        ].numpy()

    return with_images


def _saved_model_jpeg(source: Source) -> Loaded:
    """The SavedModel's signature `serving_default`, of JPEG files, in TensorFlow.

    The files are photographs of ImageNet's usual size, 500 x 375 pixels.
    """
    import tensorflow as tf

    from keras_cait.export.pipeline.photographs import photographs

    loaded = tf.saved_model.load(str(source.file("saved_model")))

    def with_images(images: np.ndarray) -> Callable[[], Any]:
        (photograph,) = photographs((375, 500), number=1, channels=3).astype("uint8")
        files = tf.repeat(tf.io.encode_jpeg(photograph), len(images))
        return lambda: loaded.signatures["serving_default"](images=files)[
            "scores"
        ].numpy()

    return with_images


def _tflite(source: Source) -> Loaded:
    """The TFLite file in LiteRT, one image after the other: its batch is 1."""
    from keras_cait.export.tflite.runtime import TfliteRuntime

    runtime = TfliteRuntime(source.file("tflite"), processors())
    return lambda images: lambda: [runtime(image[None]) for image in images]


def _onnxruntime(source: Source) -> Loaded:
    """The ONNX file in onnxruntime."""
    from keras_cait.export.onnx_graph.runtime import OnnxRuntime

    runtime = OnnxRuntime(source.file("onnx"), processors())
    return lambda images: lambda: runtime(images)


LOADERS: dict[str, Callable[[Source], Loaded]] = {
    "predict": _predict,
    "graph": _graph,
    "xla": _xla,
    "jax": _jax,
    "saved_model": _saved_model,
    "saved_model_jpeg": _saved_model_jpeg,
    "tflite": _tflite,
    "onnxruntime": _onnxruntime,
}
"""Functions that load a model, by the name of the runtime."""

FILES = {
    "saved_model": "saved_model",
    "saved_model_jpeg": "saved_model",
    "tflite": "tflite",
    "onnxruntime": "onnx",
}
"""Formats of the runtimes that load a file."""
