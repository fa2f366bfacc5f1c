"""Progress of a training, on a terminal and in a log."""

import io
import sys

import pytest

from keras_cait.training.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(stream: io.StringIO, monkeypatch, *, epochs: int, shown: bool = True):
    """What a training of 40 steps an epoch writes to the standard error."""
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress("student", 32, 40, epochs, shown=shown)
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for batch in range(40):
            progress.on_train_batch_end(batch)
        progress.on_epoch_end(epoch, {"loss": 0.5, "val_accuracy": 0.25})
    progress.close()
    return stream.getvalue()


@pytest.mark.parametrize("epochs", [1, 3, 60])
def test_a_log_has_a_line_for_each_epoch(monkeypatch, epochs):
    first, *lines = written(io.StringIO(), monkeypatch, epochs=epochs).splitlines()
    assert first.startswith("student:   0%")
    assert len(lines) == epochs
    for epoch, line in enumerate(lines, 1):
        assert f"| {40 * epoch}/{40 * epochs} [" in line
        assert f"epoch={epoch}/{epochs}, loss=0.500, test accuracy=0.250" in line
        assert "<00:" in line  # the time left
        assert "\r" not in line


def test_a_terminal_has_one_bar(monkeypatch):
    text = written(_Terminal(), monkeypatch, epochs=3)
    assert text.count("\n") == 1  # at its end
    assert text.count("\r") > 3
    assert "epoch=3/3" in text.splitlines()[-1]


def test_other_workers_write_nothing(monkeypatch):
    assert written(io.StringIO(), monkeypatch, epochs=2, shown=False) == ""
