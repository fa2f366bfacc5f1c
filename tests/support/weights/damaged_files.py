"""Kinds of damage to one tensor of an HDF5 file."""

import zlib

import h5py
import numpy as np


def _replaced(file, place, data, **options):
    del file[place]
    file.create_dataset(place, data=data, **options)


def _as(dtype):
    return lambda file, place, value: _replaced(file, place, value.astype(dtype))


def _with(number):
    def damage(file, place, value):
        value.flat[-1] = number
        _replaced(file, place, value)

    return damage


def _string(file, place, value):
    _replaced(file, place, value.astype("S8"))


def _compound(file, place, value):
    pairs = np.zeros(value.shape, [("real", "f4"), ("other", "f4")])
    _replaced(file, place, pairs)


def _without_values(file, place, value):
    del file[place]
    file.create_dataset(place, value.shape, "f4")


def _with_a_missing_chunk(file, place, value):
    del file[place]
    halves = tuple(-(-side // 2) for side in value.shape)
    made = file.create_dataset(place, value.shape, "f4", chunks=halves)
    made[(slice(0, 1),) * value.ndim] = 1.0


def _with_a_huge_chunk(file, place, value):
    del file[place]
    chunks = (2**14, *value.shape[1:]) if value.ndim > 1 else (2**18,)
    unlimited = (None,) * value.ndim
    file.create_dataset(place, data=value, chunks=chunks, maxshape=unlimited)


def _empty(file, place, value):
    _replaced(file, place, h5py.Empty("f4"))


def _group(file, place, value):
    del file[place]
    file.create_group(place)


def _outside(file, place, value):
    del file[place]
    path = file.filename + ".outside"
    value.tofile(path)
    file.create_dataset(place, value.shape, "f4", external=[(path, 0, value.nbytes)])


def _virtual(file, place, value):
    del file[place]
    with h5py.File(file.filename + ".other", "w") as other:
        other["x"] = value
    layout = h5py.VirtualLayout(value.shape, "f4")
    layout[...] = h5py.VirtualSource(file.filename + ".other", "x", value.shape)
    file.create_virtual_dataset(place, layout)


def _external_link(file, place, value):
    del file[place]
    with h5py.File(file.filename + ".other", "w") as other:
        other["x"] = value
    file[place] = h5py.ExternalLink(file.filename + ".other", "x")


def _soft_link(file, place, value):
    del file[place]
    file["elsewhere"] = value
    file[place] = h5py.SoftLink("/elsewhere")


def _linked_twice(file, place, value):
    file[place + "again"] = file[place]


def _linked_in_a_circle(file, place, value):
    file[place + "again"] = file["/"]


def _bit_flipped(**options):
    """One bit of the stored values, under a checksum or a compression."""

    def damage(file, place, value):
        _replaced(file, place, value, chunks=value.shape, **options)
        file.flush()
        made = file[place].id
        stored = made.get_chunk_info(0)
        mask, raw = made.read_direct_chunk(stored.chunk_offset)
        flipped = bytearray(raw)
        flipped[len(raw) // 2] ^= 1
        made.write_direct_chunk(stored.chunk_offset, bytes(flipped), mask)

    return damage


def _without_end(file, place, value):
    """A chunk that unpacks to 2,000 times its values."""
    del file[place]
    made = file.create_dataset(
        place, value.shape, "f4", chunks=value.shape, compression="gzip"
    )
    content = zlib.compress(bytes(2000 * value.nbytes))
    made.id.write_direct_chunk((0,) * value.ndim, content)


DAMAGES = {
    "string": _string,
    "compound": _compound,
    "int32": _as("int32"),
    "uint8": _as("uint8"),
    "bool": _as("bool"),
    "complex64": _as("complex64"),
    "NaN": _with(np.nan),
    "infinity": _with(-np.inf),
    "too large for float32": lambda file, place, value: _replaced(
        file, place, value.astype("float64") * 1e300
    ),
    "no values": _without_values,
    "a missing chunk": _with_a_missing_chunk,
    "a huge chunk": _with_a_huge_chunk,
    "a chunk without end": _without_end,
    "another filter": lambda file, place, value: _replaced(
        file, place, value, compression="lzf"
    ),
    "empty": _empty,
    "a group": _group,
    "external storage": _outside,
    "virtual": _virtual,
    "external link": _external_link,
    "soft link": _soft_link,
    "linked twice": _linked_twice,
    "linked in a circle": _linked_in_a_circle,
    "a bit under fletcher32": _bit_flipped(fletcher32=True),
    "a bit under gzip": _bit_flipped(compression="gzip"),
}


def damage(path, place, kind):
    """Damages the dataset at `place` of the file at `path`."""
    with h5py.File(path, "r+") as file:
        DAMAGES[kind](file, place, file[place][()])


def places(path):
    """The places of all tensors of a file of weights."""
    found = []

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found.append(name)

    with h5py.File(path) as file:
        file.visititems(note)
    return found
