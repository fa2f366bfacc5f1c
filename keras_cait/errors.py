"""The first line of an error message."""


def first_line(error: BaseException | str) -> str:
    r"""The first line of a message; of an error without one, the name of its class.

    Example:
        >>> first_line(OSError("disk full\nmore details"))
        'disk full'
        >>> first_line(KeyboardInterrupt())
        'KeyboardInterrupt'

    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
