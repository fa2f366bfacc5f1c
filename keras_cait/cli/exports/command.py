"""The command `keras-cait export`."""

import inspect
import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from keras_cait.cli.exports.settings import (
    SETTINGS,
    AllSettings,
    Format,
    check_format,
)
from keras_cait.command_line.flags import command_app, make_settings, with_flags
from keras_cait.command_line.parameters import MODEL
from keras_cait.terminal.loading import loading


def export(
    model: Annotated[str, Parameter(help=MODEL)],
    /,
    *,
    format: Annotated[Format, Parameter(help="of the export")],
    output: Annotated[
        Path,
        Parameter(
            help="target file; for saved_model the folder of the versions, for web a "
            "folder",
            alias="-o",
        ),
    ],
    **given: Any,
) -> str:
    """Write a model for another runtime: SavedModel, TFLite, ONNX, page for browsers.

    A named model takes images in [0, 255], a .keras file those that it was built for.
    Each export is run in its own runtime and compared with the Keras model; if an
    output differs, nothing is written. The last line of the output is the report as
    JSON, which is also written beside the export.
    """
    check_format(format, given)
    settings = make_settings(SETTINGS[format], given)
    with loading(f"TensorFlow and {model}"):
        from keras_cait.cli.exports.exporters import prepare_export

        write = prepare_export(format, model, output, settings)
    return json.dumps(write().to_dict())


EXPORT = command_app("export", inspect.getdoc(export) or "")
"""The command, with the flags of all formats."""
EXPORT.default(with_flags(AllSettings, export))
