"""Declares torchvision's operators, so that timm imports without its compiled part.

timm imports torchvision, whose Python part describes operators that only its
compiled part declares. That part is built for torch with CUDA, and does not load
beside torch for the CPU. No model here needs these operators, so declaring their
names is enough.
"""

import importlib.util
import re
from functools import cache
from pathlib import Path

import torch  # pyright: ignore[reportMissingImports]


@cache  # keeps the library alive, whose operators would vanish with it
def declare_operators() -> object:
    """Declares the missing operators. Must be called before timm is imported."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("timm needs torchvision. Received: no module of that name")
    package = Path(spec.origin).parent
    library = None
    try:
        for compiled in (*package.glob("_C*.so"), *package.glob("_C*.pyd")):
            torch.ops.load_library(compiled)
    except OSError:
        source = (package / "_meta_registrations.py").read_text(encoding="utf-8")
        names = re.findall(r'register_fake\("torchvision::(\w+)"\)', source)
        library = torch.library.Library("torchvision", "DEF")
        for name in names:
            library.define(f"{name}(Tensor x) -> Tensor")
    return library
