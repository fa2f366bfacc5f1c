"""Main function of the recipes that train: presets, data and exit code."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import flag_names, make_settings
from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.sources.load import load_dataset
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.training.devices.termination import exits_on_signals
from keras_cait.training.devices.worker_agreement import abandon, is_chief
from keras_cait.training.input_pipeline import check_augmentation
from keras_cait.training.programs.report import accuracy_table
from keras_cait.training.publishing.command_line import command_line
from keras_cait.training.publishing.model_card import write_model_card
from keras_cait.training.run import strategy_of
from keras_cait.training.settings.presets import Preset, preset_for_side
from keras_cait.training.settings.run_settings import DATA_SETTINGS, RunSettings

Settings = TypeVar("Settings", bound=RunSettings)

ModelSettings = Callable[[str, Mapping[str, Any]], Preset]
"""From a preset's name and the settings so far to the settings of their model."""


def _no_model_settings(preset: str, settings: Mapping[str, Any]) -> Preset:
    return {}


def run_recipe(
    settings_class: type[Settings],
    presets: Mapping[str, Preset],
    train: Callable[[Settings, ImageDataset], dict[str, Any]],
    given: dict[str, Any],
    *,
    program: str | None = None,
    model_settings: ModelSettings = _no_model_settings,
) -> int:
    """Loads the images, trains and reports; returns the exit code.

    `given` are the settings of the command line; `presets` has others by name. Without
    `--preset` the size of the images chooses one of "digits", "thumbnails" and
    "photographs", which `presets` must have, besides "smoke". The last line of the
    standard output is a JSON object. The model card shows `program` and `given` as the
    command of the run; without a program none is written.
    """

    def work() -> str:
        settings, data = resolve_settings(
            settings_class, presets, given, model_settings
        )
        with name_unreadable_images(data.test):
            results = train(settings, data)
        if not is_chief(strategy_of(settings)):
            return ""
        if program is not None:
            command = command_line(program, given)
            write_model_card(settings, data, results, command)
        print(f"\n{accuracy_table(results)}\n\nResults in {settings.output}")  # noqa: T201
        return json.dumps(results)

    try:
        with exits_on_signals():
            code = exit_code_of(work, flags=flag_names(settings_class))
    except SystemExit as error:  # after a signal
        abandon(int(error.code or 0))
        raise
    if code:
        abandon(code)
    return code


def resolve_settings(
    settings_class: type[Settings],
    presets: Mapping[str, Preset],
    given: dict[str, Any],
    model_settings: ModelSettings = _no_model_settings,
) -> tuple[Settings, ImageDataset]:
    """Loads the images; returns them and the settings with the preset filled in."""
    name = given.get("preset", "smoke" if given.get("smoke") else None)
    if name not in (None, *presets):
        raise ValueError(
            f"--preset must be one of {', '.join(presets)}. Received: {name}"
        )
    wanted = {**(presets[name] if name else {}), **given}
    # Checks the values before the images are loaded, which may take long, and makes
    # the strategy before TensorFlow computes; for many workers it would be too late.
    expected = make_settings(settings_class, wanted)
    check_augmentation(expected)
    strategy_of(expected)
    if "data_dir" in given and "dataset" not in given:
        wanted["dataset"] = None
    data = load_dataset(
        wanted.get("dataset"),
        data_dir=wanted.get("data_dir"),
        **{name: wanted[name] for name in DATA_SETTINGS if name in wanted},
    )
    if name is None:
        name = preset_for_side(given.get("image_size") or min(data.image_shape[:2]))
    preset = {**presets[name], **model_settings(name, {**presets[name], **given})}
    return make_settings(settings_class, {**given, "preset": name}, preset), data
