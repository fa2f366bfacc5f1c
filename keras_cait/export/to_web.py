"""Export of models as a page for browsers."""

import importlib.resources
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from keras_cait.export.pipeline.flow import export_model
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.export.pipeline.report import CheckResult, ExportReport
from keras_cait.export.to_onnx import OPSETS, OnnxFormat
from keras_cait.export.web.description import describe
from keras_cait.export.web.runtime import PACKAGE, WASM, runtime_files

MODEL = "model.onnx"
RUNTIME = "runtime"  # folder of onnxruntime-web


def to_web(
    model: keras.Model,
    path: Path | str,
    *,
    runtime: Path | str | None = None,
    labels: Sequence[str] | None = None,
    images: np.ndarray | Path | str | None = None,
    weights: str = "not stated",
    verbose: bool = True,
) -> ExportReport:
    """Writes a folder that any web server serves as a page, and a report beside it.

    The page classifies images that are chosen, photographed, dropped or pasted, on the
    device of the person who looks at it: the five most probable classes, and the
    attention of the class token in each head and block. The folder holds the page, the
    model as an ONNX file, and onnxruntime-web; nothing comes from another host. Images
    are resized to the pixels of Pillow, as in evaluation.

    Args:
        model: A CaiT, DeiT or DeiT III of this package with a classifier, of one or
            three channels.
        path: Target folder, new or empty.
        runtime: Folder with a copy of the npm package onnxruntime-web; None for the
            version that this package pins, which npm installs once.
        labels: Names of the classes, in order; None for the model's own, or ImageNet's
            for 1000 classes.
        images: Images to compare on, `(images, height, width, channels)` in [0, 255],
            or a folder; None for photographs.
        weights: Source of the weights, which the page states; "random" for weights that
            were not trained.
        verbose: Whether the report is printed.

    Returns:
        The report: comparison of the ONNX file with Keras, latency, size and operators.

    Raises:
        ValueError: If the model cannot be exported, an argument is invalid, or the ONNX
            file differs from Keras by more than 1e-4 of the largest output.
        OSError: If the target exists or cannot be written, or npm cannot install the
            runtime.
        ModuleNotFoundError: If a package that ONNX needs is not installed.

    Example:
        >>> import tempfile, keras_cait
        >>> model = keras_cait.CaiT(
        ...     input_shape=(32, 32, 3), patch_size=16, embed_dim=8, depth=1,
        ...     num_heads=2, classes=3, include_preprocessing=True,
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        ...         _ = Path(folder, name).write_text("of the package onnxruntime-web")
        ...     report = to_web(model, f"{folder}/site", runtime=folder, verbose=False)
        ...     sorted(file.name for file in Path(folder, "site").glob("*.*"))[-3:]
        ['style.css', 'top.js', 'worker.js']

    Reference:
        ONNX Runtime Web, https://onnxruntime.ai/docs/tutorials/web/

    """
    if model.input_shape[-1] not in (1, 3):
        raise ValueError(
            "Expected a model for images of 1 or 3 channels. Received: input_shape="
            f"{tuple(model.input_shape[1:])}"
        )
    files = runtime_files(None if runtime is None else Path(runtime))
    return export_model(
        WebFormat(opset=OPSETS[-1], runtime=files),
        model,
        Path(path),
        labels=labels,
        images=images,
        weights=weights,
        verbose=verbose,
    )


@dataclass(frozen=True, kw_only=True)
class WebFormat(OnnxFormat):
    """Write and check steps of a page, whose model is an ONNX file; see `to_web`."""

    runtime: Mapping[str, Path]
    outputs: tuple[str, ...] = ("probabilities", "class_attention")

    name = "web"
    suffix = None

    def write(self, prepared: PreparedModel, path: Path) -> None:
        (path / RUNTIME).mkdir(parents=True)
        page = importlib.resources.files("keras_cait.export.web") / "page"
        for file in page.iterdir():
            (path / file.name).write_bytes(file.read_bytes())
        for name, file in self.runtime.items():
            shutil.copyfile(file, path / RUNTIME / name)
        super().write(prepared, path / MODEL)
        files = {"model": MODEL, "runtime": f"{RUNTIME}/{WASM}"}
        description = describe(prepared, path, files)
        (path / "model.json").write_text(json.dumps(description) + "\n")

    def check(
        self, prepared: PreparedModel, path: Path, pixels: np.ndarray
    ) -> CheckResult:
        found = super().check(prepared, path / MODEL, pixels)
        return replace(found, details={**found.details, "runtime": PACKAGE})
