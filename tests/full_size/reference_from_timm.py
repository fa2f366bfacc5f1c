"""Writes weights, images and logits of timm's models, and checks keras_cait's files.

    python -m tests.full_size.reference_from_timm FOLDER --cases "deit_*"

needs torch, torchvision and timm, but neither Keras nor TensorFlow. It assigns each
model random weights and writes them to FOLDER, with images and their logits.

    python -m tests.full_size.reference_from_timm FOLDER --check

loads the files of `compare --write` instead, and fails unless timm loads every
tensor and computes the logits of keras_cait.
"""
# ruff: noqa: T201 (it reports on stdout)
# pyright: reportMissingImports=false

import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from tests.full_size.cases import (
    WRITTEN,
    WRITTEN_CLASSES,
    WRITTEN_IMAGE,
    Case,
    cases_like,
    command_line,
)
from tests.full_size.torchvision_ops import declare_operators

declare_operators()
import timm  # noqa: E402 (it imports torchvision)

LIMIT = 1e-5  # for the small models of --check, relative to the largest logit


def randomize(model: torch.nn.Module, generator: torch.Generator) -> torch.nn.Module:
    """Draws all weights, so that every tensor affects the logits.

    At its initial value, 1e-6, LayerScale would hide every block. Linear maps
    have a scale at which attention selects patches; otherwise it would average over
    hundreds of them and hardly depend on the image.
    """
    for name, tensor in model.state_dict().items():
        if not tensor.dtype.is_floating_point:
            continue  # the number of batches of a batch norm
        tensor.normal_(generator=generator)  # in place: the largest has 2.5 GB
        if tensor.ndim >= 2 and tensor.shape[0] > 1:  # no token or position
            scale = 1.5 if tensor.ndim == 2 else 1.0  # convolutions follow one another
            tensor.mul_(scale / math.sqrt(tensor[0].numel()))
        elif name.endswith("running_var"):
            tensor.mul_(0.3).abs_().add_(0.5)
        else:
            tensor.mul_(0.3)
            if name.endswith("weight"):  # the gain of a norm
                tensor.add_(1.0)
            elif name.endswith("proj_w.bias"):
                # It is added to the attention of every patch. If it were larger, all
                # patches would be alike, and attention would not matter.
                tensor.div_(model.pos_embed.shape[1])
    return model.eval()


def write(case: Case, folder: Path) -> float:
    """Writes the files of one case; returns its largest logit."""
    generator = torch.Generator().manual_seed(0)
    # A convnet has no fixed image size.
    is_convnet = case.timm_name.startswith("regnety")
    sizes = {} if is_convnet else {"img_size": (case.height, case.width)}
    model = randomize(timm.create_model(case.timm_name, **sizes), generator)
    images = torch.randn(case.batch, 3, case.height, case.width, generator=generator)
    logits = model(images)
    save_file(model.state_dict(), case.weights(folder))
    np.savez(
        case.numbers(folder),
        images_nhwc=images.permute(0, 2, 3, 1).numpy(),
        logits=logits.numpy(),
    )
    return logits.abs().max().item()


def check(name: str, folder: Path) -> float:
    """The largest difference to keras_cait's logits, divided by the largest logit."""
    sizes = WRITTEN[name]
    transformer = {"img_size": WRITTEN_IMAGE, **sizes, "num_classes": WRITTEN_CLASSES}
    if name == "cait":
        model = timm.models.cait.Cait(depth_token_only=2, **transformer)
    elif name == "deit_distilled":
        model = timm.models.deit.VisionTransformerDistilled(**transformer)
    elif name == "deit3":
        model = timm.models.VisionTransformer(
            no_embed_class=True, init_values=1.0, **transformer
        )
    else:
        sizes = timm.models.regnet.RegNetCfg(se_ratio=0.25, **sizes)
        model = timm.models.RegNet(sizes, num_classes=WRITTEN_CLASSES)
    model.load_state_dict(load_file(folder / f"{name}.safetensors"), strict=True)
    with np.load(folder / f"{name}.npz") as arrays:
        images, expected = arrays["images_nhwc"], arrays["logits"]
    found = model.eval()(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def main() -> int:
    parser = command_line(__doc__ or "")
    parser.add_argument("--check", action="store_true", help="read keras_cait's files")
    options = parser.parse_args()
    failed = False
    with torch.inference_mode():
        if options.check:
            for name in WRITTEN:
                ratio = check(name, options.folder)
                failed |= not ratio <= LIMIT  # a NaN fails
                print(f"{name:40} {ratio:.1e}")
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            for case in cases_like(*options.cases):
                largest = write(case, options.folder)
                print(f"{case.name:40} largest logit {largest:.1f}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
