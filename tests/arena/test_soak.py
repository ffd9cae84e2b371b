import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer

from tests.arena.store.proving import RecordProperty
from tests.faults import FAULTS, Exchange
from tests.killing import ROOT

GROWTH = 0.05
OBJECTS_PER_BATTLE = 17  # what is kept for the next time fills up by 8 to 12; a whole battle that is kept adds 13
EXECUTOR = min(32, (os.cpu_count() or 1) + 4)
SETTINGS = """
seed = 1
hold_seconds = 1
lease_seconds = 2
rating_seconds = 0.01
[rates]
voter_prompts_per_minute = 100000
voter_votes_per_minute = 100000
voter_votes_per_day = 0
network_prompts_per_minute = 0
network_votes_per_minute = 0
network_votes_per_day = 0
[breaker]
pause_seconds = 0.5
[integrity]
sweep_seconds = 5
"""
MODEL = """
[[models]]
name = "{name}"
base_url = "{base_url}"
upstream_id = "{name}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How long it is soaked, in periods between two looks; after `warm` of them nothing may grow.

    `history` battles are there before, and a visitor rests so long after each of his own.
    """

    periods: int
    seconds: float
    warm: int
    history: int
    rest_seconds: float


@pytest.fixture
def upstream() -> Iterator[FaultServer]:
    """A model's server that answers within a tenth of a second or so, and now and then wrongly or never."""
    rng = random.Random(1)
    with FaultServer() as server:

        async def answer(exchange: Exchange) -> None:
            server.requests.clear()
            if rng.random() < 0.08:
                await FAULTS[rng.choice(["503-no-retry", "hang", "html", "rst-mid-stream"])](exchange)
                return
            await exchange.head()
            for _ in range(20):
                await exchange.text("Because it is so. ")
                await asyncio.sleep(0.004)
            await exchange.finish()

        server.faults["soak"] = answer
        yield server


# The short one hardly computes: it runs beside all other tests.
@pytest.mark.soak
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            Form(periods=8, seconds=15, warm=4, history=2_000, rest_seconds=4),
            id="2 minutes",
            marks=pytest.mark.timeout(600),
        ),
        pytest.param(
            Form(periods=20, seconds=60, warm=4, history=10_000, rest_seconds=4),
            id="20 minutes",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_arena_in_use_leaks_nothing(
    form: Form, upstream: FaultServer, tmp_path: Path, record_property: RecordProperty
) -> None:
    samples = soak(tmp_path, upstream, form)
    warm, last = samples[form.warm - 1], samples[-2]
    record_property("samples", json.dumps(samples))

    assert last["votes"] > warm["votes"] > 0
    for what in ("streams", "upstream connections", "database connections"):
        assert last[what] == 0
    assert steady(last["threads"]) == steady(warm["threads"])
    assert len(last["threads"]) - len(steady(last["threads"])) <= EXECUTOR
    assert last["files"] <= warm["files"]
    for what in ("memory", "in use", "objects"):
        assert (last[what] or 0) <= (warm[what] or 0) * (1 + GROWTH), what
    assert last["objects"] - warm["objects"] <= OBJECTS_PER_BATTLE * (last["battles"] - warm["battles"])
    assert samples[-1]["threads after closing"] == ["MainThread"]


def steady(threads: Sequence[str]) -> Sequence[str]:
    """All but those of asyncio's executor, which makes one more whenever none is idle."""
    return [name for name in threads if not name.startswith("asyncio_")]


def soak(folder: Path, upstream: FaultServer, form: Form) -> Sequence[dict[str, Any]]:
    """What the process held after each period, and at last what was left after it closed the arena."""
    config = folder / "arena.toml"
    names = ("ant", "bee", "cat", "dog", "elk")
    config.write_text(SETTINGS + "".join(MODEL.format(name=name, base_url=upstream.url("soak")) for name in names))
    script = Path(__file__).with_name("soaking_process.py")
    figures = (form.periods, form.seconds, form.history, form.rest_seconds)
    command = [sys.executable, str(script), str(config), *map(str, figures)]
    environ = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]), "PATH": ""}
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]
