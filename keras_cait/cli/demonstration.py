"""A page for a model, served on this machine."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_cait.data.image_files import printable
from keras_cait.export.to_web import to_web
from keras_cait.export.web.server import PageServer
from keras_cait.models.published.model_source import ModelSource, load_source

IMAGE = "given-image"  # the name that it has in the page


@contextlib.contextmanager
def demonstration(
    source: ModelSource, *, image: Path | None, port: int, runtime: Path | None
) -> Iterator[tuple[PageServer, str]]:
    """Yields a server and the address of its page, until the block ends.

    The page is that of a model, or of a folder that was exported for the web. `image`
    is classified when the page opens.
    """
    if image is not None and not image.is_file():
        raise FileNotFoundError(f"No image at {printable(image)}")
    with tempfile.TemporaryDirectory() as name:
        exported = Path(source.name)
        folder = exported if exported.is_dir() else Path(name) / "site"
        files = {} if image is None else {IMAGE: image}
        # The port first: nothing is computed if it is taken.
        with PageServer(folder, port, files) as server:
            if folder is exported:
                _check_page(source, folder)
            else:
                loaded = load_source(source)
                to_web(
                    loaded.model,
                    folder,
                    runtime=runtime,
                    labels=loaded.labels,
                    weights=loaded.weights,
                    verbose=False,
                )
            yield server, server.address + ("" if image is None else f"?image={IMAGE}")


def _check_page(source: ModelSource, folder: Path) -> None:
    if source != ModelSource(name=source.name):
        raise ValueError(
            "An exported folder has weights, labels and image size of its own. Leave "
            f"these flags out. Received: {source}"
        )
    if not (folder / "model.json").is_file():
        raise ValueError(
            "Expected the name of a model, a .keras file, or a folder that `keras-cait "
            f"export --format web` wrote. Received: {printable(folder)}, a folder "
            "without model.json."
        )
