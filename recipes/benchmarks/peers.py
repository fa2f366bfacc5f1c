"""Measures other implementations of the same models, in an environment that has them.

    python recipes/benchmarks/peers.py installed
    python recipes/benchmarks/peers.py inference --peer timm --batch-sizes 1 8
    python recipes/benchmarks/peers.py training --peer zeromodels_xla --batch-sizes 8
    python recipes/benchmarks/peers.py onnx --files build/peers --batch-sizes 1 8
    python recipes/benchmarks/peers.py inference --peer timm_openvino

`installed` prints the peers whose packages this Python has:

    timm, timm_compile    timm's model in torch, and by torch.compile
    timm_onnxruntime      timm's ONNX file in onnxruntime
    timm_openvino         timm's ONNX file in OpenVINO, in float32
    zeromodels_xla        ZeroModels' model in TensorFlow, compiled by XLA

`onnx` writes timm's files, one for each batch size. The models have random weights.
Neither Keras nor this package need to be installed. The last line of the standard
output is JSON.
"""
# pyright: reportMissingImports=false

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from without_keras import import_file

Options = argparse.Namespace
Call = Callable[[], Any]

_ROOT = Path(__file__).resolve().parents[2]
_TIMING = import_file("benchmarking/timing.py")
_OPSET = 18  # as of our own files


def declare_operators() -> None:
    """Makes timm importable beside a torchvision of another build than torch's."""
    sys.path.insert(0, str(_ROOT))
    from tests.full_size import torchvision_ops

    torchvision_ops.declare_operators()


def _timm_model(options: Options) -> Any:
    declare_operators()
    import timm

    return timm.create_model(options.timm_name, img_size=options.image_size)


def onnx_file(options: Options, batch_size: int) -> Path:
    """Path of timm's ONNX file for a batch size."""
    name = f"{options.timm_name}_{options.image_size}_batch{batch_size}.onnx"
    return options.files / name


def _written_onnx_file(options: Options, batch_size: int) -> str:
    path = onnx_file(options, batch_size)
    if not path.is_file():
        raise FileNotFoundError(f"No file {path}. Write it: peers.py onnx")
    return str(path)


def write_onnx(options: Options) -> list[str]:
    """Writes timm's ONNX files that are not there yet."""
    import torch

    options.files.mkdir(parents=True, exist_ok=True)
    model = _timm_model(options).eval()
    paths = [onnx_file(options, size) for size in options.batch_sizes]
    for path, size in zip(paths, options.batch_sizes, strict=True):
        if path.exists():
            continue
        images = torch.zeros(size, 3, options.image_size, options.image_size)
        with torch.inference_mode():
            # The older exporter, which needs no package besides onnx.
            export = partial(torch.onnx.export, dynamo=False, opset_version=_OPSET)
            export(model, (images,), str(path), input_names=["images"])
    return [str(path) for path in paths]


def _timm(options: Options, *, compiled: bool) -> Callable[[int], Call]:
    import torch

    model = _timm_model(options).eval()
    if compiled:
        model = torch.compile(model, dynamic=False)

    def call_of(batch_size: int) -> Call:
        images = torch.from_numpy(_images(options, batch_size, channels_first=True))

        def call() -> Any:
            with torch.inference_mode():
                return model(images).numpy()

        return call

    return call_of


def _timm_training(options: Options, *, compiled: bool) -> Callable[[int], Call]:
    import torch

    model = _timm_model(options).train()
    run = torch.compile(model, dynamic=False) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.05)

    def call_of(batch_size: int) -> Call:
        images = torch.from_numpy(_images(options, batch_size, channels_first=True))
        labels = torch.arange(batch_size)

        def call() -> float:
            loss = torch.nn.functional.cross_entropy(run(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        return call

    return call_of


def _onnxruntime(options: Options) -> Callable[[int], Call]:
    import onnxruntime

    def call_of(batch_size: int) -> Call:
        session = onnxruntime.InferenceSession(
            _written_onnx_file(options, batch_size), providers=["CPUExecutionProvider"]
        )
        images = _images(options, batch_size, channels_first=True)
        return lambda: session.run(None, {"images": images})

    return call_of


def _openvino(options: Options) -> Callable[[int], Call]:
    import openvino

    def call_of(batch_size: int) -> Call:
        # Its default would be bfloat16, where the processor has it.
        compiled = openvino.Core().compile_model(
            _written_onnx_file(options, batch_size),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "f32"},
        )
        images = _images(options, batch_size, channels_first=True)
        return lambda: compiled([images])[0]

    return call_of


def _zeromodels_model(options: Options) -> Any:
    sizes = dict(part.split("=") for part in options.sizes.split(","))
    sizes = {name: int(size) for name, size in sizes.items()}
    sizes["image_size"] = options.image_size
    if options.timm_name.startswith("cait"):
        from zeromodels.models.cait import CaiTConfig, CaiTImageClassify

        return CaiTImageClassify(CaiTConfig(**sizes))
    from zeromodels.models.deit import DeiTConfig, DeiTImageClassify

    distilled = "distilled" in options.timm_name
    return DeiTImageClassify(DeiTConfig(use_distillation=distilled, **sizes))


def _zeromodels(options: Options) -> Callable[[int], Call]:
    import tensorflow as tf

    model = _zeromodels_model(options)
    function = tf.function(
        lambda images: model(images, training=False), jit_compile=True, autograph=False
    )

    def call_of(batch_size: int) -> Call:
        images = tf.constant(_images(options, batch_size))
        return lambda: function(images).numpy()

    return call_of


def _zeromodels_training(options: Options) -> Callable[[int], Call]:
    import keras
    import numpy as np

    model = _zeromodels_model(options)
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.05),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
    )

    def call_of(batch_size: int) -> Call:
        images, labels = _images(options, batch_size), np.arange(batch_size)
        return lambda: model.train_on_batch(images, labels)

    return call_of


PACKAGES = {
    "timm": ("torch", "timm"),
    "timm_compile": ("torch", "timm"),
    "timm_onnxruntime": ("onnxruntime",),
    "timm_openvino": ("openvino",),
    "zeromodels_xla": ("zeromodels", "tensorflow"),
}
"""Packages of each peer."""

INFERENCE: dict[str, Callable[[Options], Callable[[int], Call]]] = {
    "timm": lambda options: _timm(options, compiled=False),
    "timm_compile": lambda options: _timm(options, compiled=True),
    "timm_onnxruntime": _onnxruntime,
    "timm_openvino": _openvino,
    "zeromodels_xla": _zeromodels,
}
TRAINING: dict[str, Callable[[Options], Callable[[int], Call]]] = {
    "timm": lambda options: _timm_training(options, compiled=False),
    "timm_compile": lambda options: _timm_training(options, compiled=True),
    "zeromodels_xla": _zeromodels_training,
}


def installed() -> list[str]:
    """The peers whose packages this Python has."""
    return [
        peer
        for peer, packages in PACKAGES.items()
        if all(importlib.util.find_spec(package) for package in packages)
    ]


def measure(options: Options) -> dict[str, Any]:
    """Measures one peer in this process."""
    peak_memory_mb = import_file("processors.py").peak_memory_mb
    makers = INFERENCE if options.part == "inference" else TRAINING
    if options.peer not in makers:
        raise ValueError(
            f"--peer must be one of {', '.join(makers)} for {options.part}. "
            f"Received: {options.peer}"
        )
    started = time.perf_counter()
    call_of = makers[options.peer](options)
    batches = {}
    for size in options.batch_sizes:
        timing = _TIMING.timed(call_of(size), seconds=options.seconds)
        first = _TIMING.rounded(time.perf_counter() - started - sum(timing.seconds))
        batches[str(size)] = {**timing.rates(size), "first_s": first}
        started = time.perf_counter()
    found = {"batches": batches, "peak_mb": round(peak_memory_mb())}
    return {"model": options.timm_name, "results": {options.peer: found}}


def _images(options: Options, batch_size: int, *, channels_first: bool = False) -> Any:
    """Random images, as a NumPy array."""
    import numpy as np  # here, for programs that print their help

    sides = (options.image_size, options.image_size)
    shape = (batch_size, 3, *sides) if channels_first else (batch_size, *sides, 3)
    return np.random.default_rng(0).standard_normal(shape, "float32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one part; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["installed", "inference", "training", "onnx"])
    parser.add_argument("--peer", choices=PACKAGES, default="timm")
    parser.add_argument("--timm-name", default="cait_xxs24_224")
    parser.add_argument(
        "--sizes",
        default="embed_dim=192,depth=24,num_heads=4,patch_size=16",
        help="sizes of ZeroModels' model",
    )
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--files", type=Path, default=Path("build/peers"))
    options = parser.parse_args(arguments)
    parts = {"installed": lambda _: installed(), "onnx": write_onnx}
    try:
        found = parts.get(options.part, measure)(options)
    except (ValueError, ImportError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
