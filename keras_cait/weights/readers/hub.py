"""Downloads from the Hugging Face hub, through its own client."""

import hashlib
import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from keras_cait.errors import first_line
from keras_cait.terminal.captured_stderr import released_stderr
from keras_cait.weights.readers.hub_names import FILE, repository_and_revision

CONFIGURATIONS = ("config.json", "preprocessor_config.json")
TRANSPORT_ERRORS: tuple[Any, ...] = HfHubHTTPError.__bases__
"""The base of the errors of the HTTP library that the hub's client uses."""
_HELP = "Without a network pass weights=None, or the path of a file."


def download(source: str) -> Path:
    """Path of the safetensors file of a repository, from the cache or the hub.

    The hub client's own settings apply: its cache folder, `HF_TOKEN`,
    `HF_HUB_OFFLINE`, and `HF_ENDPOINT` for a mirror.

    Raises `OSError` if the file cannot be downloaded, or its hash is not the hub's;
    then it is removed from the cache.
    """
    repository, revision = repository_and_revision(source)
    try:
        known = try_to_load_from_cache(repository, FILE, revision=revision)
        # The client shows the time left, which no capture may hide.
        with nullcontext() if isinstance(known, str) else released_stderr():
            path = Path(hf_hub_download(repository, FILE, revision=revision))
    except RepositoryNotFoundError as error:
        raise OSError(
            f"The hub shows no repository {repository}. Received: {source}. Check the "
            "name, or log in where it is private."
        ) from error
    except LocalEntryNotFoundError as error:
        raise OSError(
            f"{source} is not in the cache, and the hub cannot be reached: "
            f"{first_line(error)} {_HELP}"
        ) from error
    except EntryNotFoundError as error:
        raise OSError(
            f"Expected {FILE} in the repository. Received: {source}, which has none."
        ) from error
    except (OSError, *TRANSPORT_ERRORS) as error:
        raise OSError(
            f"Could not get {source} from the hub: {first_line(error)} {_HELP}"
        ) from error
    _check_hash(path, source)
    return path


def download_configuration(source: str) -> list[dict[str, Any]]:
    """The JSON files of a repository that state its preprocessing, if it has any."""
    repository, revision = repository_and_revision(source)
    found = []
    for name in CONFIGURATIONS:
        try:
            path = Path(hf_hub_download(repository, name, revision=revision))
        except (OSError, *TRANSPORT_ERRORS):  # no such file, or no download: not stated
            continue
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"{name} must hold a JSON object.")
        found.append(content)
        if "pretrained_cfg" in content:
            break  # timm's, which states everything
    return found


def _check_hash(path: Path, source: str) -> None:
    """Refuses, and removes, a file whose content has another hash than on the hub."""
    stored = path.resolve()
    # The cache names a large file by its SHA-256 where the system has links.
    if re.fullmatch("[0-9a-f]{64}", stored.name) is None:
        return
    with stored.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != stored.name:
        path.unlink()
        stored.unlink(missing_ok=True)
        raise OSError(
            f"The file of {source} must have the SHA-256 {stored.name}, as on the "
            f"hub. Received: {found}. It is removed from the cache; try again."
        )
