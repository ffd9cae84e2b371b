"""Can this machine run the embedded models? Asked without loading the runtime, which may end its process."""

import ctypes
import importlib.util
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_RUNTIME = "xllamacpp"
_FLAGS = frozenset({"avx2", "fma", "f16c", "bmi2"})  # what its x86-64 wheel is compiled with
_LIBRARIES = MappingProxyType({"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6"})


def supported(
    *,
    machine: str | None = None,
    system: str = sys.platform,
    cpuinfo: Path = Path("/proc/cpuinfo"),
    runtime: str = _RUNTIME,
    libraries: Mapping[str, str] = _LIBRARIES,
) -> str | None:
    """Why the embedded models cannot run here, as a sentence with its remedy; None when they can.

    The arguments describe the machine and default to this one; `libraries` maps the shared libraries the runtime needs
    to the Debian packages that hold them.
    """
    if importlib.util.find_spec(runtime) is None:
        return (
            f"The embedded models need {runtime}, which is not installed; it exists for Linux (glibc) and macOS. "
            "Name models of your own in arena.toml."
        )
    if system != "linux":
        return None
    missing = [package for library, package in libraries.items() if not _loads(library)]
    if missing:
        return f"The embedded models need a system library that is missing: apt install {' '.join(missing)}"
    if (machine or platform.machine()) == "x86_64" and not _cpu_suffices(cpuinfo):
        return "The embedded models need a CPU with AVX2, which this one lacks. Name models of your own in arena.toml."
    return None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _cpu_suffices(cpuinfo: Path) -> bool:
    """Whether the flags of the first CPU hold all that is needed; a machine that does not tell is trusted."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), None)
    return flags is None or set(flags) >= _FLAGS
