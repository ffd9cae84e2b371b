import sys
from pathlib import Path

import pytest

from arena.embedded import supported

GLIBC = {"libc.so.6": "libc6"}
ENOUGH = "processor\t: 0\nflags\t\t: fpu sse3 avx avx2 fma f16c bmi2\n"


@pytest.fixture
def cpuinfo(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(ENOUGH)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="looks up a library of Linux")
def test_a_machine_with_all_it_takes_is_fine(cpuinfo: Path) -> None:
    reason = supported(machine="x86_64", cpuinfo=cpuinfo, runtime="json", libraries=GLIBC)

    assert reason is None


def test_a_cpu_without_avx2_gets_a_sentence(cpuinfo: Path) -> None:
    cpuinfo.write_text(ENOUGH.replace("avx2 ", ""))

    reason = supported(machine="x86_64", system="linux", cpuinfo=cpuinfo, runtime="json", libraries={})

    assert reason is not None
    assert "AVX2" in reason


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_a_cpu_that_does_not_tell_its_flags_is_trusted(machine: str, tmp_path: Path) -> None:
    reason = supported(machine=machine, system="linux", cpuinfo=tmp_path / "none", runtime="json", libraries={})

    assert reason is None


def test_a_mac_is_not_asked_for_libraries_of_linux() -> None:
    assert supported(machine="arm64", system="darwin", runtime="json", libraries={"no.so.9": "nothing"}) is None


def test_a_missing_library_is_named_with_its_package(cpuinfo: Path) -> None:
    libraries = {"libnothing.so.9": "libgomp1"}

    reason = supported(machine="x86_64", system="linux", cpuinfo=cpuinfo, runtime="json", libraries=libraries)

    assert reason is not None
    assert "apt install libgomp1" in reason


def test_a_platform_without_the_runtime_gets_a_sentence() -> None:
    reason = supported(runtime="no_such_runtime")

    assert reason is not None
    assert "no_such_runtime" in reason
    assert "arena.toml" in reason


def test_asking_does_not_load_the_runtime() -> None:
    supported()

    assert "xllamacpp" not in sys.modules
