"""Measures every way to compute attention on an accelerator, beside timm.

    python recipes/benchmarks/accelerator.py --timm .venv-torch/bin/python
    python recipes/benchmarks/accelerator.py --cases CaiT_S24_384 --parts inference
    python recipes/benchmarks/accelerator.py --dry-run

Models run on JAX in mixed bfloat16, with images in the accelerator's memory: inference
of a compiled forward pass, and training steps of AdamW. timm's run compiled by
`torch.compile` in bfloat16 autocast, in the same run on the same card; `--timm` is a
Python that has torch and timm. Each measurement has a process of its own. One that
fails, for lack of memory for example, has its error as result.

It prints images per second, the peak memory of the accelerator, and the share of the
rate of its bfloat16 matrix products, measured in the same run. `--dry-run` takes small
models, batches and products, for a machine without an accelerator. The last line of the
standard output is a JSON object.
"""
# pyright: reportMissingImports=false

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from without_keras import import_file

_TIMING = import_file("benchmarking/timing.py")


@dataclass(frozen=True)
class Case:
    """A model and its batches.

    Attributes:
        model: A builder's name.
        timm: timm's name.
        image_size: Side of the images in pixels.
        inference: Images of a call.
        training: Images of a step.
        sizes: Arguments of the builder; timm's model takes the depth.
    """

    model: str
    timm: str
    image_size: int
    inference: int
    training: int
    sizes: dict[str, int] = field(default_factory=dict)


CASES = {
    "CaiT_XXS24_224": Case("CaiT_XXS24", "cait_xxs24_224", 224, 256, 128),
    "CaiT_S24_224": Case("CaiT_S24", "cait_s24_224", 224, 256, 64),
    "CaiT_S24_384": Case("CaiT_S24", "cait_s24_384", 384, 64, 16),
    "CaiT_M48_448": Case("CaiT_M48", "cait_m48_448", 448, 16, 4),
    **{
        f"DeiT_{size}_224": Case(
            f"DeiT_{size}_Distilled",
            f"deit_{name}_distilled_patch16_224",
            224,
            batch,
            batch // 2,
        )
        for size, name, batch in [
            ("Ti", "tiny", 512),
            ("S", "small", 512),
            ("B", "base", 256),
        ]
    },
}
SMALL_CASES = {
    "CaiT_small": Case(
        "CaiT",
        "cait_xxs24_224",
        image_size=64,
        inference=2,
        training=2,
        sizes={"embed_dim": 48, "depth": 1, "num_heads": 4, "patch_size": 16},
    )
}

IMPLEMENTATIONS = ("auto", "fused", "kernel")
"""Values of `attention_implementation`; DeiT has no kernel."""


def measure_product(side: int, seconds: float) -> dict[str, Any]:
    """Rate of bfloat16 matrix products, in FLOP/s, and the name of the device."""
    import jax

    matrix = jax.numpy.ones((side, side), "bfloat16")
    product = jax.jit(lambda x: x @ x)
    timing = _TIMING.timed(lambda: product(matrix).block_until_ready(), seconds=seconds)
    device = jax.local_devices()[0].device_kind
    return {"device": device, "product": 2 * side**3 / min(timing.seconds)}


def measure_ours(
    case: Case, part: str, implementation: str, seconds: float
) -> dict[str, Any]:
    """Measures a model of this package in this process, which has KERAS_BACKEND=jax."""
    # Here, because torch's Python, which measures timm, has none of them.
    import jax
    import keras

    import keras_cait
    from keras_cait.benchmarking.runtimes import compiled_by_jax
    from keras_cait.models.published.flops import flops
    from keras_cait.processors import peak_memory_mb

    keras.config.set_dtype_policy("mixed_bfloat16")
    model = getattr(keras_cait, case.model)(
        **({"weights": None} if not case.sizes else case.sizes),
        input_shape=(case.image_size, case.image_size, 3),
        attention_implementation=implementation,
    )
    batch = getattr(case, part)
    images, labels = _batch(batch, (case.image_size, case.image_size, 3))
    images = jax.device_put(images)
    forward = compiled_by_jax(model)
    model.compile(
        keras.optimizers.AdamW(1e-4, weight_decay=0.05),
        keras.losses.SparseCategoricalCrossentropy(),
    )

    def infer() -> Any:
        return forward(images).block_until_ready()

    def step() -> Any:
        return model.train_on_batch(images, labels)

    timing = _TIMING.timed(infer if part == "inference" else step, seconds=seconds)
    memory = jax.local_devices()[0].memory_stats() or {}
    peak = memory.get("peak_bytes_in_use", 1e6 * peak_memory_mb())
    operations = flops(model) * (1 if part == "inference" else 3)
    return _row(timing, batch, peak) | {
        "gflop_an_image": _TIMING.rounded(operations / 1e9)
    }


def measure_timm(case: Case, part: str, seconds: float) -> dict[str, Any]:
    """Measures timm's model in this process, which has torch; eager without a card."""
    from peers import declare_operators

    declare_operators()
    import timm
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    depth = {"depth": case.sizes["depth"]} if case.sizes else {}
    model = timm.create_model(case.timm, img_size=case.image_size, **depth).to(device)
    model.train(part == "training")
    batch = getattr(case, part)
    arrays = _batch(batch, (3, case.image_size, case.image_size))
    images, labels = (torch.from_numpy(array).to(device) for array in arrays)
    compiled = torch.compile(model, dynamic=False) if device == "cuda" else model
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.05)

    def infer() -> Any:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
            return compiled(images).cpu()

    def step() -> float:
        with torch.autocast(device, torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(compiled(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    timing = _TIMING.timed(infer if part == "inference" else step, seconds=seconds)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else 0
    return _row(timing, batch, peak)


def _batch(images: int, shape: Sequence[int]) -> tuple[Any, Any]:
    """Random images and their labels, as NumPy arrays."""
    import numpy as np  # here, so that --help answers at once

    random = np.random.default_rng(0)
    return random.uniform(0, 1, (images, *shape)).astype("float32"), np.arange(images)


def _row(timing: Any, batch: int, peak_bytes: float) -> dict[str, Any]:
    first = _TIMING.rounded(timing.first)
    peak = round(peak_bytes / 1e6)
    return {"batch": batch, **timing.rates(batch), "first_s": first, "peak_mb": peak}


def measure_all(options: argparse.Namespace) -> dict[str, Any]:
    """Measures every case, each way in a process of its own; prints a table."""
    cases = SMALL_CASES if options.dry_run else CASES
    unknown = set(options.cases or ()) - set(cases)
    if unknown:
        raise ValueError(
            f"--cases must be of {', '.join(cases)}. Received: {' '.join(unknown)}"
        )
    side, seconds = (256, 0.0) if options.dry_run else (8192, options.seconds)
    results = _apart(sys.executable, ["product", side, seconds])
    print(f"{results['device']}: {results['product'] / 1e12:.3g} TFLOP/s in bfloat16")
    results["cases"] = {
        name: {
            part: _measure_case(name, cases[name], part, options, results["product"])
            for part in options.parts
        }
        for name in options.cases or cases
    }
    return results


def _measure_case(
    name: str, case: Case, part: str, options: argparse.Namespace, product: float
) -> dict[str, Any]:
    """Every way of one case, and timm's."""
    seconds = 0.0 if options.dry_run else options.seconds
    text = json.dumps(asdict(case))
    ways = [way for way in options.implementations if way != "kernel" or "CaiT" in name]
    rows = {
        way: _attempt(sys.executable, ["ours", text, part, way, seconds])
        for way in ways
    }
    if options.timm:
        rows["timm"] = _attempt(options.timm, ["timm", text, part, seconds])
    gflop = max(row.get("gflop_an_image", 0) for row in rows.values())
    for way, row in rows.items():
        if "error" not in row:
            row["share"] = _TIMING.rounded(row["median"] * gflop * 1e9 / product)
        print(f"{name:16}{part:10}{way:8}{_text(row)}", flush=True)
    return rows


def _text(row: dict[str, Any]) -> str:
    if "error" in row:
        return row["error"]
    return (
        f"batch{row['batch']:>4}{row['best']:9.1f} best,{row['median']:9.1f} median "
        f"images/s,{100 * row['share']:4.0f} % of the product,{row['peak_mb']:7,} MB, "
        f"first after{row['first_s']:6.1f} s"
    )


def _attempt(python: str, arguments: Sequence[Any]) -> dict[str, Any]:
    try:
        return _apart(python, arguments)
    except (ValueError, OSError) as error:
        return {"error": str(error)}


def _apart(python: str, arguments: Sequence[Any]) -> dict[str, Any]:
    command = [python, __file__, "--measure", json.dumps(arguments)]
    return _TIMING.output_of(command, {"KERAS_BACKEND": "jax"})


def _measure(kind: str, *arguments: Any) -> dict[str, Any]:
    if kind == "product":
        return measure_product(*arguments)
    case, *rest = arguments
    measure = measure_ours if kind == "ours" else measure_timm
    return measure(Case(**json.loads(case)), *rest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures all cases, or one in this process; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("inference", "training")
    parser.add_argument("--cases", nargs="+", help=f"of {', '.join(CASES)}; else all")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument(
        "--implementations",
        nargs="+",
        choices=("plain", "blocks", *IMPLEMENTATIONS),
        default=IMPLEMENTATIONS,
    )
    parser.add_argument("--timm", help="a Python that has torch and timm")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--dry-run", action="store_true", help="small sizes")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.measure:
            print(json.dumps(_measure(*options.measure)))
        else:
            print(json.dumps(measure_all(options)))
    except ValueError as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
