"""Count of the scans of a JPEG, without decoding it."""

from typing import Any

import tensorflow as tf

from keras_cait.typing import Tensor

_SCAN, _END = 0xDA, 0xD9  # SOS and EOI
_MOST_MARKERS = 1000  # of one image; real files have dozens


def has_more_scans(file: Tensor, limit: int) -> Tensor:
    """Whether the image of a JPEG has more scans than the limit, a scalar.

    The count ends with the image: in a motion photo a video follows, whose bytes may
    look like markers. Thumbnails inside segments do not count either. True also for an
    image with more than a thousand markers. Source:
    https://www.w3.org/Graphics/JPEG/itu-t81.pdf, Annex B.
    """
    codes = tf.reshape(tf.io.decode_raw(file, "uint8"), (-1,))
    following = tf.concat([codes[1:], tf.zeros(1, "uint8")], 0)
    starts = codes == 0xFF
    # An image has at most as many as its file, so most files need no further check.
    in_file = tf.math.count_nonzero(starts & (following == _SCAN))
    return tf.cond(
        in_file <= limit,
        lambda: tf.constant(False),
        lambda: _exceeds(starts, following, limit),
    )


def _exceeds(starts: Tensor, following: Tensor, limit: int) -> Tensor:
    """Walks from marker to marker, past their segments, to the end of the image."""
    # Decoders skip smaller codes, SOI and restart markers (0xD0 to 0xD8), which have
    # no segment, and fill bytes (0xFF).
    alone = (following >= 0xD0) & (following <= 0xD8)
    is_marker = starts & (following >= 0xC0) & (following != 0xFF) & ~alone
    size = tf.size(following)
    markers = tf.concat([tf.cast(tf.where(is_marker)[:, 0], "int32"), [size]], 0)
    following = tf.concat([following, tf.zeros(3, "uint8")], 0)

    def step(place: Tensor, scans: Tensor, seen: Tensor) -> Any:
        marker = markers[tf.searchsorted(markers, [place])[0]]
        code, high, low = tf.unstack(
            tf.cast(following[marker : marker + 3], "int32"), num=3
        )
        # Decoders read the two bytes of a length, whatever its value.
        after = tf.minimum(marker + 2 + tf.maximum(256 * high + low, 2), size)
        ended = (marker == size) | (code == _END)
        scans += tf.cast(code == _SCAN, "int32")
        return tf.where(ended, size, after), scans, seen + 1

    _, scans, seen = tf.while_loop(
        lambda place, scans, seen: (
            (place < size) & (scans <= limit) & (seen <= _MOST_MARKERS)
        ),
        step,
        tuple(map(tf.constant, (0, 0, 0))),
        parallel_iterations=1,
    )
    return (scans > limit) | (seen > _MOST_MARKERS)
