"""Error for arguments out of their range."""


def check_range(holds: bool, expected: str, **arguments: object) -> None:
    """Raises `ValueError` with names and values of the arguments unless `holds`.

    Example:
        >>> check_range(0 <= 2 <= 1, "in [0, 1]", prob=2)
        Traceback (most recent call last):
        ValueError: `prob` must be in [0, 1]. Received: prob=2

    """
    if not holds:
        names = " and ".join(f"`{name}`" for name in arguments)
        received = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise ValueError(f"{names} must be {expected}. Received: {received}")
