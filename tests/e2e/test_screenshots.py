"""The pictures of the README, taken from the running program: `make screenshots`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import expect

from arena.domain import FinishReason, Reply, ReplyStatus, Seats, Side
from arena.settings import load_settings
from arena.store import NewBattle, Store
from leaderboard import Verdict
from tests.e2e.arena_process import ROOT, ArenaProcess, arena_process, scripted
from tests.e2e.conftest import NewContext, Visit

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.environ.get("SCREENSHOTS") != "1", reason="`make screenshots` takes the README's pictures"),
]

FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 300_000
BATTLES = 240
# Invented models with an invented strength: a picture should claim nothing about real ones.
STRENGTHS = {"Kestrel 70B": 3.0, "Heron Large": 2.2, "Otter 8B": 1.5, "Puffin Mini": 1.0, "Wren 1B": 0.5}
ORGANISATIONS = ("Northshore AI", "Reedbed Labs", "Estuary", "Seacliff", "Hedgerow")
PROMPT = "What is the time complexity of binary search, and why?"
LEFT = r"""Binary search takes \( O(\log n) \) time.

Each comparison halves what is left, so after \( k \) steps at most \( n / 2^k \) elements remain. The search ends when
that is 1:

\[ \frac{n}{2^k} = 1 \quad\Rightarrow\quad k = \log_2 n \]

For a million elements that is about **20 comparisons**."""
RIGHT = """It is **O(log n)**, because every step throws away half of the list:

```python
def find(items, wanted):
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
```

The list must be sorted first, which costs O(n log n)."""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    models = [
        scripted(
            name.lower().replace(" ", "-"),
            LEFT if number % 2 else RIGHT,
            display_name=name,
            organisation=organisation,
            link="https://example.com/card",
            licence="Apache-2.0" if number % 2 else "Proprietary",
            price_in=0.1 * 2 ** (5 - number),
            price_out=0.4 * 2 ** (5 - number),
        )
        for number, (name, organisation) in enumerate(zip(STRENGTHS, ORGANISATIONS, strict=True), start=1)
    ]
    folder = tmp_path_factory.mktemp("screenshots")
    with arena_process(folder, models=models, hold_seconds=20, seed=4, before=fill) as arena:
        yield arena


def fill(config: Path, database: str) -> None:
    """Ten days of battles in which the stronger model wins more often."""
    draws = Random(7)
    ticks = count()
    start = datetime.now(UTC) - timedelta(days=10, hours=1)
    specs = load_settings(config=config, environ={}).specs()
    strength = {spec.name: STRENGTHS[spec.display_name] for spec in specs}
    store = Store.open(database, clock=lambda: start + timedelta(minutes=15 * next(ticks)))
    store.write.sync_models(specs).result()
    for number in range(BATTLES):
        a, b = draws.sample(sorted(strength), 2)
        decisive = Verdict.A if draws.random() < strength[a] / (strength[a] + strength[b]) else Verdict.B
        verdict = draws.choices([decisive, Verdict.TIE, Verdict.BOTH_BAD], weights=[8, 1, 1])[0]
        vote_once(store, f"battle-{number}", Seats(a, b), verdict)
    store.close()


def vote_once(store: Store, battle_id: str, seats: Seats, verdict: Verdict) -> None:
    prints = dict.fromkeys(Side, "x")
    store.write.open_battle(
        NewBattle(
            id=battle_id, conversation_id=battle_id, seats=seats, owner="them", prompt="Hello", fingerprints=prints
        )
    ).result()
    for side in Side:
        reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Yes", finish_reason=FinishReason.STOP)
        store.write.finish_reply(battle_id, reply).result()
    store.write.cast_vote(battle_id, "them", verdict).result()


def test_a_picture_of_a_battle(visit: Visit, new_context: NewContext) -> None:
    battle = visit(new_context(viewport={"width": 1280, "height": 840}, color_scheme="light"))
    battle.ask(PROMPT).expect_votable()
    expect(battle.page.locator(".katex").first).to_be_visible()
    expect(battle.page.locator("pre code span").first).to_be_visible()
    expect(battle.page.get_by_test_id("stSkeleton")).to_have_count(0)

    take(battle.page.screenshot(), "battle.png")


def test_a_picture_of_the_leaderboard(arena: ArenaProcess, new_context: NewContext) -> None:
    page = new_context(viewport={"width": 1280, "height": 900}, color_scheme="light").new_page()
    page.goto(f"{arena.url}/leaderboard")
    expect(page.get_by_text("Elo over Time")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)  # what is still being fetched
    expect(page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first).to_be_visible()

    take(page.screenshot(), "leaderboard.png")


def take(picture: bytes, name: str) -> None:
    assert len(picture) < MOST_BYTES
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_bytes(picture)
