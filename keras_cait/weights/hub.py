"""Published checkpoints from the Hugging Face hub, through its own client."""

from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError


def download_checkpoint(repository: str) -> Path:
    """The safetensors file of a timm repository, from the cache or the hub.

    The hub client's own settings hold: its cache folder, `HF_HUB_OFFLINE`, and
    `HF_ENDPOINT` for a mirror.

    Args:
        repository: For example "timm/deit_tiny_patch16_224.fb_in1k".

    Raises:
        OSError: If it is neither in the cache nor to be had.

    """
    try:
        return Path(hf_hub_download(repository, "model.safetensors"))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise OSError(
            f"Could not get the weights of {repository} from the Hugging Face hub, "
            f"and they are not in its cache: {error}. Without a network pass "
            "weights=None, or the path of a file."
        ) from error
