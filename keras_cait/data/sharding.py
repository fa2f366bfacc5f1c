"""Which images of a batch one of many workers reads."""

import itertools
import math
from dataclasses import dataclass

from keras_cait.typing import Tensor


@dataclass(frozen=True)
class Shard:
    """One worker's part of every batch.

    A batch that is mixed with itself reversed pairs image `i` with image
    `batch_size - 1 - i`. A worker then takes a range of the first half and the
    partners, so that mixing its own images gives what mixing all of them gives.

    Attributes:
        index: Which worker it is, from 0.
        count: How many workers there are.
        replicas: Devices of each worker.
        splits: Whether each replica gets a batch of its own, as TensorFlow has it;
            JAX takes a worker's batch and splits it itself.

    Raises:
        ValueError: If there is no such worker.

    Example:
        >>> [bool(Shard(0, 2).holds(place, 8, paired=True)) for place in range(8)]
        [True, True, False, False, False, False, True, True]
        >>> Shard(1, 2).part_sizes(7)
        (4,)

    """

    index: int = 0
    count: int = 1
    replicas: int = 1
    splits: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count or self.replicas < 1:
            raise ValueError(
                "`index` must be in [0, count) and `replicas` 1 or more. "
                f"Received: {self}"
            )

    def check(self, batch_size: int, *, paired: bool) -> None:
        """Refuses a batch of which not every replica gets the same.

        Raises:
            ValueError: With the nearest sizes that would do.

        """
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
        """Whether the image at a place of the batch is this worker's."""
        length = batch_size // self.count // (2 if paired else 1)
        start = self.index * length
        held = (place >= start) & (place < start + length)
        if paired:
            partner = batch_size - 1 - place
            held |= (partner >= start) & (partner < start + length)
        return held

    @property
    def parts(self) -> int:
        """Batches that this worker reads for one step."""
        return self.replicas if self.splits else 1

    def part_sizes(self, size: int) -> tuple[int, ...]:
        """How large they are where the step has `size` images, in turn."""
        edges = self._edges(size)
        return tuple(b - a for a, b in itertools.pairwise(edges))

    def start(self, size: int) -> int:
        """The first of `size` images that this worker gets."""
        return self._edges(size)[0]

    def _edges(self, size: int) -> list[int]:
        total, first = self.count * self.parts, self.index * self.parts
        return [size * (first + n) // total for n in range(self.parts + 1)]
