"""Stopped, failed, reloaded, left and restarted: what happens to answers that are on their way, over real HTTP."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import WebSocketRoute, expect

from arena.domain import ReplyStatus, Side
from tests.e2e.arena_process import ArenaProcess, arena_process
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext, Visit
from tests.e2e.told_upstream import BEGUN, MODELS, WHOLE, Upstream, models_of
from tests.fault_server import wait_until
from tests.faults import KEY, NAME

pytestmark = pytest.mark.e2e

RETRY = "Retry this side"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def arena(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    folder = tmp_path_factory.mktemp("interruptions")
    with arena_process(folder, models=models_of(upstream), hold_seconds=1) as arena:
        yield arena


@pytest.fixture(autouse=True)
def _closed_gate(upstream: Upstream) -> None:
    upstream.gate.clear()


def test_stop_keeps_what_came_and_ends_the_requests(visit: Visit, upstream: Upstream) -> None:
    battle = visit().ask("stall until stopped").expect_answers(BEGUN)

    battle.button("Stop").click()

    for side in Side:
        expect(battle.pane(side)).to_contain_text("Stopped")
        expect(battle.pane(side)).to_contain_text(BEGUN)
        expect(battle.pane(side).get_by_role("button", name=RETRY)).to_be_visible()
    expect(battle.votes).to_have_count(0)
    wait_until(lambda: [r.gone.is_set() for r in upstream.asked_for("stall until stopped")] == [True, True])


def test_retry_asks_the_one_side_again_and_then_the_battle_is_votable(visit: Visit, upstream: Upstream) -> None:
    battle = visit().ask("stall, then retry").expect_answers(BEGUN)
    battle.button("Stop").click()

    battle.pane(Side.A).get_by_role("button", name=RETRY).click()

    expect(battle.answer(Side.A)).to_have_text(WHOLE)
    expect(battle.button(RETRY)).to_have_count(1)
    expect(battle.pane(Side.B)).to_contain_text("Stopped")
    expect(battle.votes).to_have_count(0)
    assert len(upstream.asked_for("stall, then retry")) == 3

    battle.pane(Side.B).get_by_role("button", name=RETRY).click()

    battle.expect_votable().expect_answers(WHOLE)
    assert len(upstream.asked_for("stall, then retry")) == 4


def test_a_failed_side_is_a_plain_sentence_with_retry(visit: Visit) -> None:
    battle = visit().ask("fail once")

    expect(battle.page.get_by_text("This model did not accept the prompt.")).to_have_count(1)
    expect(battle.button(RETRY)).to_have_count(1)
    expect(battle.votes).to_have_count(0)
    sent, read = battle.page.content(), battle.page.inner_text("body")
    assert [word for word in (*MODELS, NAME, KEY, "Traceback", "ProviderFault") if word in sent] == []
    assert "400" not in read  # what nobody reads holds ids drawn by chance

    battle.button(RETRY).click()

    battle.expect_votable().expect_answers(WHOLE)


def test_a_reload_joins_the_answers_that_are_on_their_way(visit: Visit, upstream: Upstream) -> None:
    battle = visit().ask("gate, and reload").expect_answers(BEGUN)
    battle_id = battle.battle_id

    battle.page.reload()

    battle.expect_answers(BEGUN)
    assert battle.battle_id == battle_id
    upstream.gate.set()
    battle.expect_votable().expect_answers(WHOLE)
    assert len(upstream.asked_for("gate, and reload")) == 2


def test_another_page_and_back_joins_the_answers_that_are_on_their_way(visit: Visit, upstream: Upstream) -> None:
    battle = visit().ask("gate, and look elsewhere").expect_answers(BEGUN)
    battle_id = battle.battle_id

    battle.go_to("Leaderboard")
    expect(battle.page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    battle.go_to("Battle")

    battle.expect_answers(BEGUN)
    assert battle.battle_id == battle_id
    upstream.gate.set()
    battle.expect_votable().expect_answers(WHOLE)
    assert len(upstream.asked_for("gate, and look elsewhere")) == 2


def test_a_cut_connection_joins_the_answers_that_are_on_their_way(
    new_context: NewContext, arena: ArenaProcess, upstream: Upstream
) -> None:
    page = new_context().new_page()
    connections: list[WebSocketRoute] = []
    page.route_web_socket("**/*", lambda socket: connections.extend([socket, socket.connect_to_server()]))
    battle = BattlePage(page, arena.url).open().ask("gate, and a tunnel").expect_answers(BEGUN)

    for connection in tuple(connections):
        connection.close(code=1001)
    upstream.gate.set()

    battle.expect_votable().expect_answers(WHOLE)
    assert len(connections) == 4
    assert len(upstream.asked_for("gate, and a tunnel")) == 2


def test_a_closed_tab_ends_the_requests_when_its_lease_runs_out(
    visit: Visit, arena: ArenaProcess, upstream: Upstream
) -> None:
    battle = visit().ask("stall and leave").expect_answers(BEGUN)
    battle_id = battle.battle_id

    battle.page.close()

    wait_until(lambda: [r.gone.is_set() for r in upstream.asked_for("stall and leave")] == [True, True])
    wait_until(lambda: statuses(arena, battle_id) == {ReplyStatus.INTERRUPTED})


def test_a_reload_brings_finished_and_voted_battles_back(visit: Visit) -> None:
    battle = visit().ask("plain").expect_votable()

    battle.page.reload()
    battle.expect_votable().expect_answers(WHOLE)
    battle.button(LABELS[0]).click()
    names = names_of(battle)
    battle.page.reload()

    assert names_of(battle) == names
    battle.expect_answers(WHOLE)


def test_a_restart_brings_every_battle_back_and_leaves_none_streaming(
    visit: Visit, new_context: NewContext, arena: ArenaProcess
) -> None:
    window = new_context()
    voted, finished, streaming = (visit(window).ask(f"{what}, then restart") for what in ("ok", "fine", "stall"))
    voted.expect_votable().button(LABELS[1]).click()
    names = names_of(voted)
    finished.expect_votable()
    streaming.expect_answers(BEGUN)

    arena.restart()
    for battle in (voted, finished, streaming):
        battle.page.reload()

    assert names_of(voted) == names
    finished.expect_votable().expect_answers(WHOLE).button(LABELS[2]).click()
    finished.expect_names()
    expect(streaming.button(RETRY)).to_have_count(2)
    streaming.pane(Side.A).get_by_role("button", name=RETRY).click()
    expect(streaming.answer(Side.A)).to_have_text(WHOLE)
    streaming.pane(Side.B).get_by_role("button", name=RETRY).click()
    streaming.expect_votable().expect_answers(WHOLE)


def test_another_browser_sees_nothing_of_a_battle(visit: Visit) -> None:
    mine = visit().ask("plain, between us").expect_votable()

    theirs = visit(battle_id=mine.battle_id)

    expect(theirs.page.get_by_text("There is no such battle here")).to_be_visible()
    expect(theirs.prompt).to_be_enabled()
    assert "between us" not in theirs.page.content()
    assert BEGUN not in theirs.page.content()


def names_of(battle: BattlePage) -> list[str]:
    battle.expect_names()
    return [battle.name(side) for side in Side]


def statuses(arena: ArenaProcess, battle_id: str) -> set[ReplyStatus]:
    return {reply.status for reply in arena.battle(battle_id).turns[-1].replies.values()}
