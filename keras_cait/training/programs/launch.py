"""What every recipe that trains does first and last."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.sources.load import load_dataset
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.exit_code import exit_code_of
from keras_cait.training.devices.termination import exits_on_signals
from keras_cait.training.devices.worker_agreement import abandon, is_chief
from keras_cait.training.programs.report import table_of
from keras_cait.training.settings.configuration import (
    flags_of,
    make_config,
    parse_flags,
)
from keras_cait.training.settings.presets import Preset, size_of
from keras_cait.training.settings.run_settings import OF_DATA, RunConfig, strategy_of

Config = TypeVar("Config", bound=RunConfig)

ByModel = Callable[[str, Mapping[str, Any]], Preset]
"""A preset's name and the settings so far, to what the preset sets for their model."""


def _same_for_all(preset: str, settings: Mapping[str, Any]) -> Preset:
    """Nothing: most presets have the same settings for every model."""
    return {}


def launch(
    config_class: type[Config],
    presets: Mapping[str, Preset],
    train: Callable[[Config, ImageDataset], dict[str, Any]],
    description: str,
    arguments: Sequence[str] | None = None,
    *,
    by_model: ByModel = _same_for_all,
) -> int:
    """Reads the flags, loads the images, trains and reports; returns the exit code.

    Without `--preset` the size of the images chooses one: "digits", "thumbnails" or
    "photographs". The last line of the standard output is a JSON object.

    Args:
        config_class: What the flags fill.
        presets: Settings by name, with those three and "smoke" among them.
        train: The recipe.
        description: What `--help` opens with.
        arguments: What stands behind the program's name; None for `sys.argv`.
        by_model: Settings of a preset that depend on the model.

    """
    given = parse_flags(config_class, arguments, description=description)

    def work() -> str:
        config, data = configure(config_class, presets, given, by_model)
        with name_unreadable_images(data.test):
            results = train(config, data)
        if not is_chief(strategy_of(config)):
            return ""
        print(f"\n{table_of(results)}\n\nResults in {config.output}")  # noqa: T201
        return json.dumps(results)

    try:
        with exits_on_signals():
            code = exit_code_of(work, flags=flags_of(config_class))
    except SystemExit as error:  # a signal's
        abandon(int(error.code or 0))
        raise
    if code:
        abandon(code)
    return code


def configure(
    config_class: type[Config],
    presets: Mapping[str, Preset],
    given: dict[str, Any],
    by_model: ByModel = _same_for_all,
) -> tuple[Config, ImageDataset]:
    """The resolved settings, and the images they are for.

    Raises:
        ValueError: If there is no such preset or data set, or a value is refused.

    """
    name = given.get("preset", "smoke" if given.get("smoke") else None)
    if name not in (None, *presets):
        raise ValueError(
            f"--preset must be one of {', '.join(presets)}. Received: {name}"
        )
    # Before the images are loaded, which may take long: of what is given alone.
    early = make_config(config_class, given, presets[name] if name else None)
    strategy_of(early)  # and before TensorFlow computes, which is too late for many
    wanted = {**(presets[name] if name else {}), **given}
    if "data_dir" in given and "dataset" not in given:
        wanted["dataset"] = None
    data = load_dataset(
        wanted.get("dataset"),
        data_dir=wanted.get("data_dir"),
        **{name: wanted[name] for name in OF_DATA if name in wanted},
    )
    if name is None:
        name = size_of(given.get("image_size") or min(data.image_shape[:2]))
    preset = {**presets[name], **by_model(name, {**presets[name], **given})}
    return make_config(config_class, {**given, "preset": name}, preset), data
