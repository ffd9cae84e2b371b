"""A rating that is made in the background comes onto the page by itself, and so does the next one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from arena.domain import Seats
from arena.settings import load_settings
from arena.store import Store
from leaderboard import Verdict
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.battle_page import LABELS
from tests.e2e.conftest import NewContext, Visit
from tests.e2e.test_screenshots import vote_once

pytestmark = pytest.mark.e2e

MODEL, VOTES = 2, 8


def two_votes(config: Path, database: str) -> None:
    store = Store.open(database)
    store.write.sync_models(load_settings(config=config, environ={}).specs()).result()
    for number in range(2):
        vote_once(store, f"battle-{number}", Seats("heron", "otter"), Verdict.A)
    store.close()


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    """However quick a rating is, it is made in the background."""
    models = [scripted(name, "Yes: {prompt}") for name in ("heron", "otter")]
    folder = tmp_path_factory.mktemp("ratings")
    with arena_process(folder, models=models, hold_seconds=20, rating_seconds=0, before=two_votes) as arena:
        yield arena


def test_a_long_rating_comes_by_itself_and_so_does_the_next(
    new_context: NewContext, visit: Visit, arena: ArenaProcess
) -> None:
    page = new_context().new_page()
    page.goto(f"{arena.url}/leaderboard")
    page.evaluate("window.notReloaded = true")
    expect(cell(page, MODEL)).to_contain_text("heron")
    expect(cell(page, VOTES)).to_have_text("2")

    battle = visit().ask("Hello").expect_votable()
    battle.button(LABELS[0]).click()
    battle.button("Reveal now").click()
    battle.expect_names()

    expect(cell(page, VOTES)).to_have_text("3")
    expect(page.get_by_text("newer votes are being counted in")).to_have_count(0)
    assert page.evaluate("window.notReloaded")


def cell(page: Page, column: int) -> Locator:
    return page.get_by_test_id(f"glide-cell-{column}-0")
