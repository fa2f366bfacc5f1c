"""Peers are measured where they are installed, and named in errors where not."""

import importlib.util
import json

import pytest
from peers import (  # pyright: ignore[reportMissingImports]
    INFERENCE,
    PACKAGES,
    TRAINING,
    installed,
    main,
)


def test_installed_peers_are_those_with_all_packages(capsys):
    assert main(["installed"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "timm_onnxruntime" in found  # the lock has onnxruntime
    for peer, packages in PACKAGES.items():
        assert (peer in found) == all(map(importlib.util.find_spec, packages))
    assert installed() == found


def test_every_peer_can_be_measured():
    assert INFERENCE.keys() == PACKAGES.keys()
    assert TRAINING.keys() < INFERENCE.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training", "--peer", "timm_onnxruntime"], "must be one of timm, "),
        (["inference", "--peer", "timm_onnxruntime", "--files", "/nowhere"], "nowhere"),
    ],
)
def test_wrong_flags_give_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
