"""Upload of a run to the Hugging Face hub: its model and its card, in one commit."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from keras_cait.errors import first_line
from keras_cait.terminal.steps import begin_step
from keras_cait.training.publishing.run_files import CARD, saved_card, saved_model
from keras_cait.weights.readers.hub import TRANSPORT_ERRORS
from keras_cait.weights.readers.hub_names import repository_and_revision

_BESIDE = ("curves.png", "history.csv")  # what the card shows, and its numbers
_OF_A_NEW_REPOSITORY = {".gitattributes"}
_REFUSED = (401, 403)  # statuses of HTTP


def check_repository(target: str, *, private: bool, overwrite: bool) -> str:
    """Name of a repository that a run can be uploaded to, "owner/name".

    Args:
        target: "hf://owner/name".
        private: Whether only its owner may see it.
        overwrite: Whether it may have files already.

    Raises:
        ValueError: If the target has another form, or is public and shall be private.
        FileExistsError: If it has files, unless `overwrite`.
        OSError: If there is no token, or the hub refuses it or cannot be reached.

    """
    name, revision = repository_and_revision(target)
    if revision is not None:
        raise ValueError(f"Expected hf://owner/name without @. Received: {target}")
    if get_token() is None:
        raise OSError(
            "Expected a token of the Hugging Face hub that may write. Received: none. "
            "Log in with `hf auth login`, or set HF_TOKEN."
        )
    with _one_line_errors(target):
        try:
            info = HfApi().model_info(name)
        except RepositoryNotFoundError as error:
            if error.response.status_code == 401:  # the token is not valid
                raise
            return name
    files = {file.rfilename for file in info.siblings or ()} - _OF_A_NEW_REPOSITORY
    if files and not overwrite:
        raise FileExistsError(
            f"The repository must be new or empty. Received: {target} with "
            f"{len(files)} files. Name another one, or add a commit to it with "
            "`overwrite=True`."
        )
    if private and not info.private:
        raise ValueError(
            f"Expected a private repository. Received: {target}, which is public. "
            "Change that in its settings on the hub, or leave `private` out."
        )
    return name


def upload(model: keras.Model, run: Path, name: str, *, private: bool) -> str:
    """Uploads a run to a repository, in one commit; returns its address.

    The model is written as `keras.saving.save_model(model, "hf://owner/name")` writes
    it; the card of the run is there from the first commit on. The repository is created
    if there is none.

    Args:
        model: The model of the run.
        run: Folder of the run.
        name: Name from `check_repository`.
        private: Whether a new repository is visible to its owner alone.

    Raises:
        OSError: If the upload fails. Then the files of the repository are unchanged.

    """
    api = HfApi(library_name="keras", library_version=keras.__version__)
    card, file = saved_card(run).read_text(encoding="utf-8"), saved_model(run).name
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        begin_step(f"writing {model.name} for the hub")
        keras.saving.save_model(model, folder, zipped=False)
        loads = f'load_model("{file}")', f'load_model("hf://{name}")'
        (folder / CARD).write_text(card.replace(*loads), encoding="utf-8")
        for other in _BESIDE:
            if (run / other).is_file():
                shutil.copy(run / other, folder)
        begin_step(f"uploading to hf://{name}")
        with _one_line_errors(f"hf://{name}"), _bars_on_a_terminal_alone():
            repository = api.create_repo(name, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=name,
                folder_path=folder,
                commit_message=f"Add {model.name}, trained with keras_cait",
            )
    return str(repository)


@contextlib.contextmanager
def _bars_on_a_terminal_alone() -> Iterator[None]:
    """Turns the progress bars of the hub's client off where they would fill a log.

    Unless `HF_HUB_DISABLE_PROGRESS_BARS` tells otherwise.
    """
    is_free = constants.HF_HUB_DISABLE_PROGRESS_BARS is None
    hidden = is_free and not sys.stderr.isatty() and not are_progress_bars_disabled()
    if hidden:
        disable_progress_bars()
    try:
        yield
    finally:
        if hidden:
            enable_progress_bars()


@contextlib.contextmanager
def _one_line_errors(target: str) -> Iterator[None]:
    """Raises `OSError` with one line in place of the hub client's errors."""
    try:
        yield
    except HfHubHTTPError as error:
        message = getattr(error, "server_message", None) or first_line(error)
        if error.response.status_code not in _REFUSED:
            raise _failed(target, message) from error
        raise OSError(
            f"The hub refuses the token for {target}: {_sentence(message)} It must be "
            "valid, and allowed to write there: `hf auth login`, or HF_TOKEN."
        ) from error
    except (OSError, RuntimeError, *TRANSPORT_ERRORS) as error:
        # The client hides the reason of a failed file behind a RuntimeError.
        raise _failed(target, error.__cause__ or error) from error


def _failed(target: str, reason: BaseException | str) -> OSError:
    return OSError(
        f"Could not upload to {target}: {_sentence(reason)} Its files are unchanged; "
        "try again."
    )


def _sentence(reason: BaseException | str) -> str:
    return first_line(reason).rstrip(".") + "."
