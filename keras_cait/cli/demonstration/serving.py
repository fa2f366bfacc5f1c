"""A page on this machine: an exported folder, or one that is written for a model."""

import contextlib
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from keras_cait.cli.demonstration.server import PageServer
from keras_cait.data.image_files import printable

IMAGE = "given-image"  # the name that it has in the page


@contextlib.contextmanager
def served_page(
    model: str,
    *,
    image: Path | None,
    port: int,
    flags: Collection[str],
    write: Callable[[Path], None],
) -> Iterator[tuple[PageServer, str]]:
    """Yields a server and the address of its page, until the block ends.

    `model` is a folder that was exported for the web, which is served as it is, or a
    model, for which `write` writes such a folder. `flags` are those given that only a
    model has. `image` is classified when the page opens.
    """
    if image is not None and not image.is_file():
        raise FileNotFoundError(f"No image at {printable(image)}")
    exported = Path(model)
    is_exported = exported.is_dir()
    if is_exported:
        _check_exported(exported, flags)
    with tempfile.TemporaryDirectory() as name:
        folder = exported if is_exported else Path(name) / "site"
        files = {} if image is None else {IMAGE: image}
        # The port first: nothing is computed if it is taken.
        with PageServer(folder, port, files) as server:
            if not is_exported:
                write(folder)
            yield server, server.address + ("" if image is None else f"?image={IMAGE}")


def _check_exported(folder: Path, flags: Collection[str]) -> None:
    if flags:
        raise ValueError(
            "An exported folder has weights, labels, image size and runtime of its "
            f"own. Leave these flags out. Received: {', '.join(flags)}"
        )
    if not (folder / "model.json").is_file():
        raise ValueError(
            "Expected the name of a model, a .keras file, or a folder that `keras-cait "
            f"export --format web` wrote. Received: {printable(folder)}, a folder "
            "without model.json."
        )
