"""Files of a finished run that are published."""

from pathlib import Path

CARD = "README.md"  # as the hub reads it
MODELS = ("student.keras", "finetuned.keras", "model.keras")
"""Names of the model that the card describes; a run has one of them."""


def saved_model(folder: Path) -> Path:
    """Path of the model in the folder of a run.

    Raises `FileNotFoundError` if the folder has none.
    """
    for name in MODELS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"Expected the folder of a finished run, with {', '.join(MODELS[:-1])} or "
        f"{MODELS[-1]}. Received: {folder}, which has none of them."
    )


def saved_card(folder: Path) -> Path:
    """Path of the model card in the folder of a run.

    Raises `FileNotFoundError` if the folder has none.
    """
    if not (folder / CARD).is_file():
        raise FileNotFoundError(
            f"Expected a model card, {CARD}, in the folder of a run. Received: "
            f"{folder}, which has none. The command of the run with --resume writes it."
        )
    return folder / CARD
