"""Names of the Hugging Face hub: of a repository, its revision, and its file."""

import re

FILE = "model.safetensors"  # as timm and its users name it


def repository_and_revision(source: str) -> tuple[str, str | None]:
    """Repository and revision in "hf://owner/repository@revision".

    Example:
        >>> repository_and_revision("hf://me/birds")
        ('me/birds', None)

    """
    match = re.fullmatch(r"hf://([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?", source)
    if match is None:
        raise ValueError(
            "Expected hf://owner/repository, or hf://owner/repository@revision. "
            f"Received: {source}"
        )
    return match[1], match[2]
