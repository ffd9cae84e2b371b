"""How soon one replica knows what happened on another: a vote, and an administrator's decision.

    python benchmarks/replicas.py --times 20 --json replicas.json

Two `arena serve` on one PostgreSQL, made for this, and Chromium: somebody votes, and an administrator enables and
disables a model, on the pages of the first; the second is asked all the time. Each figure runs from the moment that the
first replica stored with what it did, which lies before the commit and the acknowledgement, to the moment at which the
second replica's answer showed it, by one clock. To reach: 2 s.

    board, JSON API     GET /api/v1/standings tells one vote more
    board, open page    a leaderboard that stands open in another tab tells one vote more
    model, drawn        /metrics counts one model more or less that can be drawn
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, Self

import psutil
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the servers, the battle page and the browser's flags are the tests' own

from arena.store import Store  # noqa: E402
from tests.e2e.arena_process import ArenaProcess, scripted  # noqa: E402
from tests.e2e.battle_page import LABELS, BattlePage  # noqa: E402
from tests.e2e.conftest import BROWSERS, DEADLINE_MS, FLAGS  # noqa: E402
from tests.postgresql_server import REMEDY, PostgresServer, binaries  # noqa: E402

TO_REACH_SECONDS = 2.0
PAUSE_SECONDS = 0.02  # between two questions
PASSWORD = "correct horse battery"  # of an arena that lives for minutes
MODELS = [scripted(name, "Yes.", display_name=name.title()) for name in ("acorn", "hazel", "walnut")]
SETTINGS: dict[str, Any] = {
    "hold_seconds": 0,
    "secret": "what both replicas sign the cookies with",
    "rates__voter_prompts_per_minute": 0,
    "rates__network_reads_per_minute": 0,
    "integrity__hold_above": 1,  # who votes like a machine is not held
    "integrity__sweep_seconds": 3600,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table."""

    what: str
    times: int
    median_seconds: float
    max_seconds: float

    @property
    def met(self) -> bool:
        """Whether it never took longer than it may."""
        return self.max_seconds <= TO_REACH_SECONDS


class Watcher:
    """Asks one question all the time, and remembers when each answer came first; a context manager.

    A question that is not answered (a replica that starts) is asked again.
    """

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._changes: list[tuple[float, int]] = []
        self._end = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def first(self, answer: int, *, since: float) -> float:
        """When the answer was first given after a moment; waits for it."""
        deadline = time.monotonic() + DEADLINE_MS / 1000
        while time.monotonic() < deadline:
            for at, given in self._changes:
                if at >= since and given == answer:
                    return at
            self._end.wait(PAUSE_SECONDS)
        raise SystemExit(f"{answer} was not seen; the last answers were {self._changes[-3:]}")

    def _watch(self) -> None:
        while not self._end.wait(PAUSE_SECONDS):
            try:
                given = self._ask()
            except OSError:
                continue
            if not self._changes or self._changes[-1][1] != given:
                self._changes.append((time.time(), given))


def main() -> None:
    options = _options()
    busy = psutil.cpu_times()
    with _replicas() as (first, second, url), _browser() as browser:
        began = time.monotonic()
        measures = [
            *_votes(first, second, browser, url=url, times=options.times),
            _decisions(first, second, browser, url=url, times=options.times),
        ]
        seconds = time.monotonic() - began
    print(f"{'from one replica to the other':<30} {'times':>5} {'median s':>8} {'max s':>6}  to reach: 2 s")
    for each in measures:
        met = "met" if each.met else "MISSED"
        print(f"{each.what:<30} {each.times:5} {each.median_seconds:8.2f} {each.max_seconds:6.2f}  {met}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {_idle_share(busy):.0%} idle, {seconds:.0f} s")
    if options.json:
        rows = [asdict(each) | {"met": each.met} for each in measures]
        report = {"machine": platform.platform(), "load": os.getloadavg()[0], "rows": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="votes, and decisions")
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    return parser.parse_args()


@contextmanager
def _replicas() -> Iterator[tuple[ArenaProcess, ArenaProcess, str]]:
    """Both, and the database's URL."""
    found = binaries()
    if found is None:
        raise SystemExit(REMEDY)
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = PostgresServer(found)
        stack.callback(server.remove)
        server.start()
        url = server.url(server.create())
        replicas = []
        for name in ("one", "other"):
            (Path(folder) / name).mkdir()
            environ = {"ARENA_ADMIN_PASSWORD_HASH": hashed}
            arena = ArenaProcess(Path(folder) / name, models=MODELS, environ=environ, database_url=url, **SETTINGS)
            stack.callback(arena.close)
            replicas.append(arena)
        yield replicas[0], replicas[1], url


@contextmanager
def _browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


def _votes(first: ArenaProcess, second: ArenaProcess, browser: Browser, *, url: str, times: int) -> Sequence[Measure]:
    board = browser.new_page()
    board.goto(f"{second.url}/leaderboard")
    told: list[float] = []
    shown: list[float] = []
    with Watcher(lambda: int(_json(f"{second.url}/api/v1/standings")["votes"])) as watcher:
        for number in range(1, times + 1):
            battle = BattlePage(browser.new_page(), first.url).open().ask(f"Question {number}?").expect_votable()
            battle.button(LABELS[number % len(LABELS)]).click()
            words = "1 vote" if number == 1 else f"{number} votes"
            expect(board.get_by_text(words, exact=True)).to_be_visible()
            seen_at = time.time()
            stored_at = _last_vote(url)
            told.append(watcher.first(number, since=0.0) - stored_at)
            shown.append(seen_at - stored_at)
            battle.page.close()
    board.close()
    return [measure("board, JSON API", told), measure("board, open page", shown)]


def _decisions(first: ArenaProcess, second: ArenaProcess, browser: Browser, *, url: str, times: int) -> Measure:
    page = _signed_in(first, browser)
    told: list[float] = []
    with Watcher(lambda: _models_ready(second)) as watcher:
        for number in range(times):
            state, ready = (("⚪ disabled", 2), ("🟢 enabled", 3))[number % 2]
            page.get_by_role("radiogroup", name="State").get_by_text(state, exact=True).click()
            since = time.time()
            page.get_by_role("button", name="Apply").click()
            seen_at = watcher.first(ready, since=since)
            told.append(seen_at - _last_decision(url))
            done = f"is {state.split()[1]}, with weight 1, from the next battle on"
            expect(page.get_by_text(done)).to_be_visible()
    return measure("model, drawn", told)


def _signed_in(arena: ArenaProcess, browser: Browser) -> Page:
    page = browser.new_page()
    page.goto(f"{arena.url}/admin/sign-in")
    page.get_by_label("Password of the administrator").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("What is decided here stands above")).to_be_visible()
    return page


def _json(url: str) -> Any:  # noqa: ANN401 - JSON is anything
    with urllib.request.urlopen(url, timeout=DEADLINE_MS / 1000) as answer:
        return json.load(answer)


def _models_ready(arena: ArenaProcess) -> int:
    with urllib.request.urlopen(f"{arena.url}/metrics", timeout=DEADLINE_MS / 1000) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("arena_models_ready ")).split()[1]))


def _last_vote(url: str) -> float:
    with closing(Store.open_to_read(url)) as store:
        return store.read.votes()[-1].cast_at.timestamp()


def _last_decision(url: str) -> float:
    with closing(Store.open_to_read(url)) as store:
        found: datetime = store.read.admin.audit_page(before=None, limit=1).entries[0].at
    return found.timestamp()


def measure(what: str, seconds: Sequence[float]) -> Measure:
    """A row of so many seconds."""
    return Measure(what=what, times=len(seconds), median_seconds=median(seconds), max_seconds=max(seconds))


def _idle_share(before: Any) -> float:  # noqa: ANN401 - psutil's own
    spent = [now - then for now, then in zip(psutil.cpu_times(), before, strict=True)]
    idle = psutil.cpu_times().idle - before.idle
    return float(idle / max(sum(spent), 1e-9))


if __name__ == "__main__":
    main()
