"""Switch of TensorFlow's graph optimization before graphs are run."""

import contextlib
from collections.abc import Iterator


def optimize_graphs(on: bool) -> None:
    """Which takes longer than to run them once or twice, as most tests do."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not on})


@contextlib.contextmanager
def optimized_graphs() -> Iterator[None]:
    """Inside, they are, as where recipes run: for what is to have the same bits."""
    optimize_graphs(True)
    try:
        yield
    finally:
        optimize_graphs(False)
