"""ONNX files of timm's full-size models, with their weights.

    python -m tests.full_size.timm_onnx FOLDER --cases cait_xxs24_224

needs torch, torchvision, timm and onnx, but neither Keras nor TensorFlow. The weights
are those of `reference_from_timm`, and the batch size is 1.
"""
# ruff: noqa: T201 (it reports on stdout)
# pyright: reportMissingImports=false

import sys

import torch
from safetensors.torch import save_file

from tests.full_size.cases import cases_like, command_line
from tests.full_size.reference_from_timm import randomize, timm


def main() -> int:
    options = command_line(__doc__ or "").parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for case in cases_like(*options.cases):
        generator = torch.Generator().manual_seed(0)
        model = timm.create_model(case.timm_name, img_size=(case.height, case.width))
        randomize(model, generator)
        save_file(model.state_dict(), case.weights(options.folder))
        path = options.folder / f"{case.name}.onnx"
        images = torch.zeros(1, 3, case.height, case.width)
        with torch.inference_mode():
            # The older exporter, which needs no package besides onnx.
            torch.onnx.export(
                model, (images,), str(path), dynamo=False, input_names=["images"]
            )
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
