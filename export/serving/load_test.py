"""Load test of an exported SavedModel: many threads, every answer is compared.

    python load_test.py exported/1
    python load_test.py exported/1 --requests 1000 --clients 8 photos/*.jpg

Loads the model in a process with TensorFlow alone, as TensorFlow Serving does. Each
client sends one image a request. Every answer is compared with that of a single client.
Every fiftieth request is a truncated file, which must be refused. Exits with 1 if an
answer is missing or wrong, and with 2 if the model or an image cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 1 if a request was lost or wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="folder of the version")
    parser.add_argument(
        "images", nargs="*", type=Path, help="image files (random images)"
    )
    parser.add_argument("--requests", type=_count, default=1000)
    parser.add_argument("--clients", type=_count, default=8)
    options = parser.parse_args(arguments)
    # Here, so that --help answers at once.
    import tensorflow as tf
    from many_clients import pictures, send

    try:
        model = tf.saved_model.load(str(options.model)).signatures["serving_default"]
        files = [path.read_bytes() for path in options.images] or pictures()
        load = send(model, files, requests=options.requests, clients=options.clients)
    except KeyError as error:
        parser.error(f"{options.model} has no signature {error}")
    except (OSError, tf.errors.InvalidArgumentError) as error:  # of a file
        parser.error(" ".join(str(error).split()))
    print(load)
    return int(load.answered != load.sent)


if __name__ == "__main__":
    sys.exit(main())
