"""A hundred malformed image files, the same ones in each call."""

import random
import struct
import zlib

from PIL import Image

from tests.support.data.photographs import encoded, photograph

_COLOR = Image.fromarray(photograph(61, 83))
WHOLE = {
    "JPEG": encoded(_COLOR, quality=90),
    "progressive": encoded(_COLOR, quality=70, progressive=True),
    "PNG": encoded(_COLOR, "PNG"),
}


def png_of(width: int, height: int) -> bytes:
    """A PNG with a header of this size and almost no data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG with its size replaced."""
    file = WHOLE["JPEG"]
    place = file.index(b"\xff\xc0") + 5
    return file[:place] + struct.pack(">HH", height, width) + file[place + 4 :]


HUGE = {
    "PNG": png_of(100_000, 100_000),
    "wide PNG": png_of(2**31 - 1, 1),
    "negative PNG": png_of(2**32 - 1, 2**32 - 1),
    "JPEG": jpeg_of(65_000, 65_000),
}
EMPTY = {
    "nothing": b"",
    "PNG of no rows": png_of(3, 0),
    "JPEG of no columns": jpeg_of(0, 3),
}


def corpus() -> list[bytes]:
    """A hundred malformed files."""
    rng = random.Random(0)
    files = [*HUGE.values(), *EMPTY.values()]
    for whole in WHOLE.values():
        ends = [1, 2, 3, 10, len(whole) - 1, *rng.sample(range(len(whole)), 3)]
        files += [whole[:end] for end in ends]
        files.append(b"\0" + whole[1:])  # without its signature
        files.append(whole[:8] + bytes(rng.randbytes(len(whole) - 8)))
    kinds = list(WHOLE.values())
    while len(files) < 95:
        flipped = bytearray(rng.choice(kinds))
        for _ in range(rng.choice([1, 1, 4, 16])):
            flipped[rng.randrange(len(flipped))] ^= rng.randrange(1, 256)
        files.append(bytes(flipped))
    while len(files) < 100:
        files.append(rng.randbytes(rng.randrange(1, 5000)))
    return files
