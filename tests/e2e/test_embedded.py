"""One whole battle as somebody has it who has only typed `make run`: no settings, no key, real models."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from arena.domain import ReplyStatus, Side
from arena.embedded import WEIGHTS, fetch, supported
from arena.errors import EmbeddedError
from tests.e2e.arena_process import ArenaProcess, arena_process
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext
from tests.e2e.received import Received

pytestmark = [pytest.mark.e2e, pytest.mark.embedded, pytest.mark.timeout(600)]

PATIENCE_MS = 240_000  # two models on a machine that does other things, too
SECRETS = ["smollm", "qwen", "gguf", "xllama", "llama", "huggingface", "alibaba", "temperature", "openai_chat"]


@pytest.fixture(scope="module")
def arena(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:  # noqa: ARG001 - no browser, no arena
    """Without weights there is nothing to prove: skipped with the reason, but failed where all must be proved."""
    reason = supported()
    try:
        if reason is None:
            fetch(next(iter(WEIGHTS)))
    except EmbeddedError as exc:
        reason = str(exc)
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with arena_process(tmp_path_factory.mktemp("embedded"), models=[]) as arena:
        yield arena


def test_a_whole_battle_on_the_embedded_models(arena: ArenaProcess, new_context: NewContext) -> None:
    early = BattlePage(new_context().new_page(), arena.url).open()  # drawn at once, whether the models are there or not
    expect(early.page.get_by_text("How it works")).to_be_visible()
    expect(early.prompt).to_be_enabled(timeout=PATIENCE_MS)
    context = new_context()
    received = Received(context)
    battle = BattlePage(context.new_page(), arena.url).open().ask("Name three colours of the rainbow.")
    expect(battle.pane(Side.A)).to_be_visible()
    received.forget()  # the first page may say which models are on their way, or that one of them meets itself

    battle.expect_votable(within_ms=PATIENCE_MS)
    battle.page.reload()
    battle.expect_votable()
    assert received.leaks(SECRETS) == set()
    battle.button(LABELS[2]).click()
    battle.expect_names()

    stored = arena.battle(battle.battle_id)
    for side in Side:
        reply = stored.turns[-1].replies[side]
        assert reply.status is ReplyStatus.OK
        assert reply.figures.tokens_out
        assert reply.text.strip()
        assert "Elo 1000" in battle.name(side)
    assert arena.board().votes == 1
