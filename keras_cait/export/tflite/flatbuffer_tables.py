"""Writing and reading of flatbuffer tables by field number."""

import struct
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers.number_types import Float32Flags, UOffsetTFlags


class Writer:
    """Writer of flatbuffer tables; each method returns the offset of its object."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder()

    def text(self, text: str) -> int:
        """A string."""
        return self.builder.CreateString(text)

    def floats(self, values: Sequence[float] | np.ndarray) -> int:
        """Numbers in float32."""
        return self.builder.CreateNumpyVector(np.asarray(values, "float32"))

    def tables(self, *places: int) -> int:
        """A vector of tables, by their offsets."""
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def table(self, fields: dict[int, int | tuple[int, str]]) -> int:
        """A table; each field is an offset, or a number and its type."""
        self.builder.StartObject(max(fields) + 1)
        for field, value in fields.items():
            if isinstance(value, tuple):
                number, kind = value
                getattr(self.builder, f"Prepend{kind}Slot")(field, number, 0)
            else:
                self.builder.PrependUOffsetTRelativeSlot(field, value, 0)
        return self.builder.EndObject()

    def finished(self, root: int, identifier: bytes) -> bytes:
        """The finished buffer with its root table."""
        self.builder.Finish(root, identifier)
        return bytes(self.builder.Output())


class Table:
    """A flatbuffer table, read by field number."""

    def __init__(self, content: bytes, place: int) -> None:
        self._table = flatbuffers.table.Table(content, place)

    @classmethod
    def root(cls, content: bytes) -> "Table":
        """The root table."""
        return cls(content, struct.unpack_from("<I", content)[0])

    def _place(self, field: int) -> int | None:
        offset = self._table.Offset(4 + 2 * field)
        return offset + self._table.Pos if offset else None

    def text(self, field: int) -> str:
        """A string; empty if the field is absent."""
        place = self._place(field)
        return "" if place is None else self._table.String(place).decode()

    def table(self, field: int) -> "Table":
        """A table, which must be present."""
        place: Any = self._place(field)
        return Table(self._table.Bytes, self._table.Indirect(place))

    def tables(self, field: int) -> list["Table"]:
        """A vector of tables; empty if the field is absent."""
        return [
            Table(self._table.Bytes, self._table.Indirect(place))
            for place in self._elements(field, UOffsetTFlags.bytewidth)
        ]

    def floats(self, field: int) -> tuple[float, ...]:
        """Numbers in float32; empty if the field is absent."""
        places = self._elements(field, Float32Flags.bytewidth)
        return tuple(float(self._table.Get(Float32Flags, place)) for place in places)

    def _elements(self, field: int, width: int) -> list[int]:
        offset = self._table.Offset(4 + 2 * field)
        if not offset:
            return []
        start = self._table.Vector(offset)
        return [start + width * i for i in range(self._table.VectorLen(offset))]
