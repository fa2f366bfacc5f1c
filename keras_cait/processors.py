"""Number of processors, and peak memory, of this process."""

import os
import re
import sys
from pathlib import Path


def processors() -> int:
    """Number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def peak_memory_mb() -> float:
    """Largest memory that this process has used, in MB (10**6 bytes)."""
    if sys.platform == "linux":
        # `getrusage` also counts the process that started this one.
        status = Path("/proc/self/status").read_text()
        peak = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        if peak is not None:
            return int(peak[1]) * 1024 / 1e6
    import resource  # not on every system

    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
