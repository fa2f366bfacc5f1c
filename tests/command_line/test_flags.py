"""Command-line flags become typed settings; wrong ones give an error of one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from keras_cait.command_line.flags import make_settings, option, parse_flags


@dataclass(frozen=True, kw_only=True)
class Settings:
    rate: float = option(0.5, "a rate")
    steps: int | None = option(None, "steps")
    kind: Literal["hard", "soft"] = option("hard", "a kind")
    other: Literal["hard", "soft"] | None = option(None, "another kind")
    jit: bool | None = option(None, "whether to compile")
    output: Path = option(Path("out"), "a folder")
    mean: tuple[float, float] | None = option(None, "two numbers")
    sizes: tuple[int, ...] = option((1, 8), "one size or more")
    kinds: tuple[Literal["hard", "soft"], ...] = option(("hard",), "one kind or more")
    only: tuple[str, ...] | None = option(None, "one name or more, or all")

    def __post_init__(self):
        if self.rate > 1:
            raise ValueError(f"--rate must be at most 1. Received: {self.rate}")


def parse(*arguments):
    return parse_flags(Settings, arguments, description="Does something.")


def test_a_setting_comes_from_a_flag_then_the_preset_then_the_default():
    assert parse() == {}
    assert make_settings(Settings, parse()) == Settings()
    given = parse("--rate", "0.25")
    preset = {"rate": 0.75, "steps": 3}
    assert make_settings(Settings, given, preset) == Settings(rate=0.25, steps=3)


def test_every_type_of_field_is_parsed():
    found = parse(
        *["--rate", "0.25", "--steps=7", "--kind", "soft", "--no-jit"],
        *["--output", "a/b", "--other", "hard", "--mean", "0.1", "0.2"],
        *["--sizes", "4", "2", "1", "--kinds", "soft", "hard"],
    )
    values = {"rate": 0.25, "steps": 7, "kind": "soft", "other": "hard"}
    values |= {"jit": False, "output": Path("a/b"), "mean": (0.1, 0.2)}
    assert found == values | {"sizes": (4, 2, 1), "kinds": ("soft", "hard")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stepz", "7"], "Unknown option: --stepz. Did you mean --steps?"),
        (["--zzz=7"], "Unknown option: --zzz. See --help."),
        (["--step", "7"], "Did you mean --steps?"),
        (["--steps", "many"], '--steps: unable to convert "many" into int'),
        (["--kind", "firm"], '"firm" for --kind. Choose from: "hard", "soft"'),
        (["stray"], "stray"),
        (["--sizes"], "--sizes. Give one value or more."),
        (["--kinds", "hard", "firm"], '"firm" for --kinds'),
    ],
)
def test_unknown_flags_and_wrong_values_give_one_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as exit_:
        parse(*arguments)
    assert exit_.value.code == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1


def test_an_error_of_the_dataclass_is_raised():
    with pytest.raises(ValueError, match=r"--rate must be at most 1\. Received: 2"):
        make_settings(Settings, parse("--rate", "2"))


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = capsys.readouterr().out
    for flag in ("--rate", "--steps", "--kind", "--jit", "--no-jit", "--output"):
        assert flag in text
    assert "a rate [default: 0.5]" in text
    assert "one size or more [default: 1 8]" in text
    assert "one name or more, or all  " in text  # without a default
