"""A battle from the prompt to the vote, on answers from a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from arena.domain import BattleState, Side
from leaderboard import Verdict
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext, Visit

pytestmark = pytest.mark.e2e

LONG = " ".join(f"word{n}" for n in range(40))
DISPLAY_NAMES = {"heron": "Grey Heron", "otter": "Sea Otter"}
BOTH_HALFWAY = """() => ["a", "b"].every(side => {
    const text = document.querySelector(`.st-key-pane-${side} [data-testid=stMarkdown]`)?.innerText ?? "";
    return text.includes("word3") && !text.includes("word39");
})"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    """The answer repeats the prompt, so the prompt says how long it streams."""
    pace = {"tokens_per_second": 10}
    models = [
        scripted("heron", "One says: {prompt}", script=pace, display_name=DISPLAY_NAMES["heron"]),
        scripted("otter", "Other says: {prompt}", script=pace, display_name=DISPLAY_NAMES["otter"]),
    ]
    with arena_process(tmp_path_factory.mktemp("battle"), models=models, hold_seconds=20) as arena:
        yield arena


def test_both_answers_grow_at_the_same_time_and_the_vote_waits_for_both(visit: Visit) -> None:
    battle = visit().ask(LONG)

    battle.page.wait_for_function(BOTH_HALFWAY)
    expect(battle.votes).to_have_count(0)

    battle.expect_votable().expect_answers("word39")
    assert [button.inner_text().splitlines()[0] for button in battle.votes.all()] == list(LABELS)


def test_a_vote_can_be_undone_and_then_reveals_names_with_their_new_elo(visit: Visit, arena: ArenaProcess) -> None:
    before = {standing.model: standing.elo for standing in arena.board().standings}
    battle = visit().ask("Hello").expect_votable()

    battle.button(LABELS[0]).click()
    battle.button("Undo").click()
    battle.expect_votable()
    battle.button(LABELS[1]).click()
    expect(battle.button("Undo")).to_be_visible()
    assert arena.battle(battle.battle_id).state is BattleState.READY
    battle.button("Reveal now").click()
    battle.expect_names()

    stored = arena.battle(battle.battle_id)
    assert stored.vote is not None
    assert stored.vote.verdict is Verdict.B
    after = {standing.model: standing.elo for standing in arena.board().standings}
    for side in Side:
        name = stored.seats[side]
        shown = (
            f"Model {side.upper()}: {DISPLAY_NAMES[name]} Elo {after[name]:.0f} {signed(after[name] - before[name])}"
        )
        assert battle.name(side) == shown


def test_a_new_round_starts_from_a_fresh_page(visit: Visit) -> None:
    battle = vote(visit().ask("Hello"), LABELS[2])

    battle.button("New round").click()

    expect(battle.prompt).to_be_enabled()
    expect(battle.pane(Side.A)).to_have_count(0)
    assert "battle=" not in battle.page.url
    battle.ask("Again").expect_votable()


def test_shift_and_enter_make_a_new_line(visit: Visit) -> None:
    battle = visit()

    battle.prompt.press_sequentially("first line")
    battle.prompt.press("Shift+Enter")
    battle.prompt.press_sequentially("second line")
    battle.prompt.press("Enter")

    expect(battle.pane(Side.A).get_by_test_id("stText")).to_have_text("first line\nsecond line")


def test_one_may_write_on_before_voting(visit: Visit, arena: ArenaProcess) -> None:
    battle = visit().ask("First question").expect_votable()
    battle.ask("Second question").expect_answers("Second question").expect_votable()
    vote(battle, LABELS[3])

    stored = arena.battle(battle.battle_id)
    assert [turn.prompt for turn in stored.turns] == ["First question", "Second question"]
    assert stored.vote is not None
    expect(battle.pane(Side.B)).to_contain_text("says: First question")


def test_a_double_click_counts_once(visit: Visit, arena: ArenaProcess) -> None:
    before = arena.board().votes
    battle = visit().ask("Hello").expect_votable()

    battle.button(LABELS[0]).dblclick()
    battle.button("Reveal now").dblclick()

    battle.expect_names()
    assert arena.board().votes == before + 1


def test_two_tabs_that_vote_at_once_count_once(visit: Visit, new_context: NewContext, arena: ArenaProcess) -> None:
    before = arena.board().votes
    window = new_context()
    first = visit(window).ask("Hello").expect_votable()
    second = visit(window, battle_id=first.battle_id).expect_votable()

    for tab, label in ((first, LABELS[0]), (second, LABELS[1])):
        # Dispatched, not clicked: the second tab must not be told of the first one's vote before it votes itself.
        tab.button(label).dispatch_event("click")
    first.button("Reveal now").click()

    first.expect_names()
    second.expect_names()
    assert [first.name(side) for side in Side] == [second.name(side) for side in Side]
    assert arena.board().votes == before + 1


def test_a_battle_needs_no_mouse(visit: Visit, arena: ArenaProcess) -> None:
    battle = visit()
    keyboard = battle.page.keyboard

    focus_prompt(battle)
    keyboard.type("1234 nun")
    keyboard.press("Enter")
    battle.expect_votable().expect_answers("says: 1234 nun").expect_drawn()
    leave_prompt(battle)
    keyboard.press("1")
    expect(battle.button("Undo")).to_be_visible()
    keyboard.press("u")
    battle.expect_votable().expect_drawn()
    keyboard.press("3")
    expect(battle.button("Reveal now")).to_be_visible()
    keyboard.press("n")
    battle.expect_names().expect_drawn()
    battle_id = battle.battle_id
    keyboard.press("n")
    expect(battle.pane(Side.A)).to_have_count(0)

    stored = arena.battle(battle_id).vote
    assert stored is not None
    assert stored.verdict is Verdict.TIE


def test_the_keys_for_voting_do_nothing_while_one_types(visit: Visit, arena: ArenaProcess) -> None:
    battle = visit().ask("Hello").expect_votable()

    focus_prompt(battle)
    battle.page.keyboard.type("1 2 3 4")
    battle.page.keyboard.press("Enter")

    battle.expect_answers("says: 1 2 3 4").expect_votable()
    assert arena.battle(battle.battle_id).vote is None


def vote(battle: BattlePage, label: str) -> BattlePage:
    battle.expect_votable().button(label).click()
    battle.button("Reveal now").click()
    return battle.expect_names()


def signed(change: float) -> str:
    return f"{'+' if change > 0 else '−'}{abs(change):.0f}"


def focus_prompt(battle: BattlePage) -> None:
    """With the Tab key, as one without a mouse would."""
    expect(battle.prompt).to_be_enabled()
    for _ in range(40):
        if battle.prompt.evaluate("prompt => prompt === document.activeElement"):
            return
        battle.page.keyboard.press("Tab")
    pytest.fail("The prompt cannot be reached with the Tab key.")


def leave_prompt(battle: BattlePage) -> None:
    """To the element before it."""
    if battle.prompt.evaluate("prompt => prompt === document.activeElement"):
        battle.page.keyboard.press("Shift+Tab")
    expect(battle.prompt).not_to_be_focused()
