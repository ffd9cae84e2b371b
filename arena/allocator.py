"""How the C library hands out memory to threads, and gives it back."""

import ctypes
from collections.abc import Mapping
from typing import Final

HEAPS: Final = 2
# An array below the first lies in a heap, and a heap keeps as much as the second says for the next one. Less of either
# and a rating of 300 models pays as much for fresh pages as for its arithmetic.
MMAP_THRESHOLD_BYTES: Final = 2**20
TRIM_THRESHOLD_BYTES: Final = 2**23
# Of glibc's malloc.h, with the variables by which an operator chooses; glibc reads those itself.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_VARIABLES: Final = {
    "MALLOC_TRIM_THRESHOLD_": (_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES),
    "MALLOC_MMAP_THRESHOLD_": (_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES),
    "MALLOC_ARENA_MAX": (_ARENA_MAX, HEAPS),
}


# Left alone, glibc gives threads up to eight heaps a processor, each of which keeps what was ever needed in it, and
# raises its thresholds with what is asked for: in a soak nearly all growth was memory that it held and nobody used.
# Python's own lock lets hardly two threads ask at once, so more heaps save no time.
def use_little_memory(environ: Mapping[str, str]) -> None:
    """Let the threads of this process share two heaps that give back what is free; call it before they start.

    Leaves alone what `environ` decides, and does nothing where there is no glibc.
    """
    if "GLIBC_TUNABLES" in environ:
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return
    for variable, (option, value) in _VARIABLES.items():
        if variable not in environ:
            mallopt(option, value)
