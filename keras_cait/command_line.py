"""Starts TensorFlow without the lines that it logs while it does.

Only for whoever runs `python -m keras_cait...`, or a file that runs this one first. Who
imports the package has the log as it was. TensorFlow writes those lines before it reads
any setting, so only the stream itself can be turned off.
"""

import contextlib
import importlib
import os
import sys


def _is_run() -> bool:
    if __name__ == "__main__":
        return True
    after = sys.orig_argv[1:]
    after = after[after.index("-m") + 1 :] if "-m" in after else []
    return bool(after) and after[0].partition(".")[0] == "keras_cait"


def _start_quietly() -> None:
    # Errors that matter are raised; what TensorFlow logs as one, such as the kernel that
    # it falls back to, is not for whoever runs a program.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        with contextlib.suppress(ImportError):  # the program's own import reports it
            # Looking for a GPU logs an error on every machine without one.
            importlib.import_module("tensorflow").config.list_physical_devices()
    finally:
        os.dup2(kept, 2)
        os.close(kept)


if _is_run():
    _start_quietly()
