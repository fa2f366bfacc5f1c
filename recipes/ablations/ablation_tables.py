"""Tables of the ablations, whose rows are trained one after the other."""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
from ablate_distillation import trained_students
from residual_scaling import (
    RESIDUAL_SCALINGS,
    residual_scaling_network,
)
from token_insertion import token_insertion_network

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.fit import fit
from keras_cait.training.run import Run

if TYPE_CHECKING:  # it imports this file
    from ablate_cait import AblationSettings

FILES = ("results.csv", "table.md", "config.json", "tensorboard")

Rows = Iterator[dict[str, Any]]


def ablate(settings: "AblationSettings", data: ImageDataset) -> dict[str, Any]:
    """Trains every row of a table; returns their means over the seeds."""
    run = Run(settings, data, FILES)
    run.start()
    tables: dict[str, Callable[[Run, Any, int], Rows]] = {
        "scaling": _scaling,
        "token": _token,
        "distillation": trained_students,
    }
    rows: list[dict[str, Any]] = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        for row in tables[settings.table](run, settings, seed):
            rows.append({"seed": seed, **row})
            run.folder.write_table("results.csv", rows)
            run.print_once(
                ", ".join(f"{key} {_text(value)}" for key, value in rows[-1].items())
            )
            keras.backend.clear_session()
    means = summary(rows)
    run.folder.write_text("table.md", markdown(means))
    run.print_once(f"\n{markdown(means)}")
    seconds = round(time.perf_counter() - run.started, 1)
    return {"rows": means, "seconds": seconds, "dataset": data.name}


def _scaling(run: Run, settings: "AblationSettings", seed: int) -> Rows:
    for depth in map(int, settings.depths.split(",")):
        for scaling in RESIDUAL_SCALINGS:
            build = partial(residual_scaling_network, scaling, depth=depth)
            yield {
                "depth": depth,
                "scaling": scaling,
                **train_one(run, settings, seed, build),
            }


def _token(run: Run, settings: "AblationSettings", seed: int) -> Rows:
    depth = settings.depth
    late = sorted({depth // 6, depth // 3, 2 * depth // 3, depth - 2, depth - 1} - {0})
    cases: list[tuple[int | None, int, int]] = [
        (0, depth, 0),
        (None, depth, 0),
        *((place, depth, 0) for place in late if place > 0),
        *(
            (depth - blocks, depth - blocks, blocks)
            for blocks in (3, 2, 1)
            if blocks < depth
        ),
        *((depth, depth, blocks) for blocks in (1, 2, 3)),
    ]
    for insertion, blocks, class_blocks in cases:
        build = partial(
            token_insertion_network,
            insertion,
            depth=blocks,
            class_attention_depth=class_blocks,
        )
        yield {
            "blocks": f"{blocks} + {class_blocks}",
            "token enters": "never" if insertion is None else insertion,
            **train_one(run, settings, seed, build),
        }


def train_one(
    run: Run, settings: "AblationSettings", seed: int, build: Callable[..., keras.Model]
) -> dict[str, Any]:
    """Trains one network; returns its row of the table."""
    make = partial(
        build,
        input_shape=run.image_shape,
        classes=run.classes,
        drop_path_rate=settings.drop_path_rate or 0.0,
        include_preprocessing=True,
        **settings.sizes,
    )
    model = run.make(make, seed=seed)
    fit(run, "model", model, seed=seed)
    return {
        "accuracy": run.last("model", "val_accuracy"),
        "training_loss": run.last("model", "loss"),
        "parameters": model.count_params(),
    }


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means of the measurements over the seeds, and their spreads.

    Example:
        >>> pairs = ((0, 0.5), (1, 0.7))
        >>> rows = [{"seed": s, "depth": 2, "accuracy": a} for s, a in pairs]
        >>> summary(rows)
        [{'depth': 2, 'accuracy': 0.6, 'accuracy_spread': 0.2}]

    """
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        labels = [(k, v) for k, v in row.items() if not isinstance(v, float)]
        grouped.setdefault(tuple(x for x in labels if x[0] != "seed"), []).append(row)
    means = []
    for labels, group in grouped.items():
        mean: dict[str, Any] = dict(labels)
        for key in (k for k, v in group[0].items() if isinstance(v, float)):
            values = [row[key] for row in group]
            mean[key] = round(statistics.fmean(values), 4)
            if len(values) > 1:
                mean[f"{key}_spread"] = round(max(values) - min(values), 4)
        means.append(mean)
    return means


def markdown(rows: list[dict[str, Any]]) -> str:
    """Formats rows as a Markdown table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_text(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _text(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
