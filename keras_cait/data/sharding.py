"""Division of each batch among many workers."""

import math
from dataclasses import dataclass

from keras_cait.typing import Tensor


@dataclass(frozen=True)
class Shard:
    """One worker's part of every batch.

    A batch that is mixed with itself reversed pairs image `i` with image
    `batch_size - 1 - i`. A worker then takes a range of the first half and their
    partners, so that mixing its own images gives the same as mixing all of them.

    Example:
        >>> [bool(Shard(0, 2).holds(place, 8, paired=True)) for place in range(8)]
        [True, True, False, False, False, False, True, True]

    """

    index: int = 0  # number of the worker, from 0
    count: int = 1  # number of workers
    replicas: int = 1  # devices of each worker
    # Each replica gets its own batch, as in TensorFlow. JAX splits a worker's itself.
    splits: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count or self.replicas < 1:
            raise ValueError(
                "`index` must be in [0, count) and `replicas` 1 or more. "
                f"Received: {self}"
            )

    def check_batch_size(self, batch_size: int, *, paired: bool) -> None:
        """Raises `ValueError` unless the replicas and, if paired, pairs divide it."""
        unit = self.count * self.replicas
        if paired and self.count > 1:
            unit = math.lcm(unit, 2 * self.count)
        if batch_size % unit:
            below = batch_size // unit * unit
            sizes = f"{below} or {below + unit}" if below else f"{unit}"
            mixed = paired and self.count > 1
            pairs = ", whose images are mixed in pairs" if mixed else ""
            raise ValueError(
                f"`batch_size` must be a multiple of {unit} on {self.count} worker(s) "
                f"of {self.replicas} replica(s){pairs}. Received: "
                f"batch_size={batch_size}. Take {sizes}."
            )

    def holds(self, place: Tensor, batch_size: int, *, paired: bool) -> Tensor:
        """Whether this worker reads the image at a place of the batch."""
        length = batch_size // self.count // (2 if paired else 1)
        start = self.index * length
        held = (place >= start) & (place < start + length)
        if paired:
            partner = batch_size - 1 - place
            held |= (partner >= start) & (partner < start + length)
        return held

    @property
    def batches_per_step(self) -> int:
        """Batches that this worker reads for one step."""
        return self.replicas if self.splits else 1

    def bounds(self, size: int) -> list[int]:
        """First index of each batch of this worker in `size` images, and the end."""
        parts = self.batches_per_step
        total, first = self.count * parts, self.index * parts
        return [size * (first + n) // total for n in range(parts + 1)]
