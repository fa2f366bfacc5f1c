"""Settings are written as JSON."""

from pathlib import Path

from keras_cait.training.settings.serialization import to_json


def test_paths_are_written_as_text():
    assert to_json({"output": Path("a/b"), "n": 1}).split() == [
        *["{", '"output":', '"a/b",', '"n":', "1", "}"]
    ]
