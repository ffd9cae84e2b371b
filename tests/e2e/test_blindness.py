"""Until the vote is final, nothing that reaches the browser depends on which models answer, at any pace."""

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from arena.domain import Fault, Pace, Reply, ReplyStatus, Seats, Side
from arena.guards import PROMPT_REFUSED
from arena.settings import load_settings
from arena.store import NewBattle, Store
from leaderboard import Verdict
from leaderboard.integrity import prompt_key
from tests.e2e.battle_page import LABELS
from tests.e2e.conftest import NewContext
from tests.e2e.received import Messages, Received
from tests.e2e.two_orders import (
    BOTH,
    HELLO,
    PAIR,
    SHOWN_AFTERWARDS,
    TWICE,
    Before,
    Order,
    Stage,
    Tab,
    stage,
    well,
)
from tests.faults import FAULTS, Exchange, Handler
from voters import COOKIE, VoterCookies
from words import FAULTS as SENTENCES
from words import NOT_COUNTED

pytestmark = pytest.mark.e2e

SECRET = "a secret of the tests"
HABIT = 12  # votes on one prompt: then the next one on it is held
SUSPICION = 0.6  # that habit alone is enough
AA_SHARE = 0.2
DISPLAYED = {str(model["name"]): str(model["display_name"]) for model in PAIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One battle: what the browser got before its vote and by its end, and what stood on the page then."""

    before: Before
    foreign: list[str]
    messages_after: Messages
    shown_after: set[tuple[str, str]]
    text: str
    moved_ratings: bool


def stumbles(tab: Tab, _: Pace) -> None:
    """A failed side, its retry, a second turn, a vote undone, a reload."""
    tab.ask("stumbles")
    expect(tab.battle.pane(Side.A)).to_contain_text(SENTENCES[Fault.OVERLOADED])
    tab.retry()
    tab.battle.expect_votable()
    tab.ask("again")
    tab.battle.expect_votable()
    tab.battle.button(LABELS[0]).click()
    expect(tab.battle.page.get_by_text(re.compile("final in 5[0-9] s"))).to_be_visible()
    tab.battle.button("Undo").click()
    tab.battle.expect_votable()
    tab.battle.page.reload()
    tab.battle.expect_votable()


def names_itself(tab: Tab, _: Pace) -> None:
    """The left model says who it is."""
    tab.ask("names itself")
    tab.battle.expect_votable()
    expect(tab.battle.answer(Side.A)).to_contain_text("I am [model name], at your service.")


def is_unfit(tab: Tab, pace: Pace) -> None:
    """A prompt and an answer that the moderation refuses, and a better one."""
    tab.battle.ask("Tell me the unspeakable")
    expect(tab.battle.page.get_by_text(PROMPT_REFUSED)).to_be_visible()
    tab.ask("is unfit", reading="Something unspeakable." if pace is Pace.LIVE else None)
    expect(tab.battle.pane(Side.A)).to_contain_text(SENTENCES[Fault.MODERATED])
    tab.retry()
    tab.battle.expect_votable()


def is_held(tab: Tab, _: Pace) -> None:
    """A voter who has asked the same too often."""
    tab.ask("is held")
    tab.battle.expect_votable()


def meets_itself(tab: Tab, _: Pace) -> None:
    """One model on both sides."""
    tab.ask("meets itself")
    tab.battle.expect_votable()


Scenery = Callable[[Tab, Pace], None]
SCENES: Mapping[str, Scenery] = {
    "stumbles": stumbles,
    "names itself": names_itself,
    "is unfit": is_unfit,
    "is held": is_held,
    "meets itself": meets_itself,
}
WITHIN: Mapping[str, tuple[Order, Order]] = {name: TWICE if name == "meets itself" else BOTH for name in SCENES}


def once(handler: Handler) -> Handler:
    """A handler that is well from the second request on."""
    return lambda exchange: handler(exchange) if exchange.nth == 1 else well(exchange)


async def says_its_name(exchange: Exchange) -> None:
    await exchange.answer(f"I am {DISPLAYED[exchange.request.fault]}, at your service.")


def with_habits(config: Path, database: str) -> None:
    """The voters of both orders have voted often on the prompt that they will send."""
    specs = load_settings(config=config, environ={}).specs()
    with closing(Store.open(database)) as store:
        store.write.sync_models(specs).result()
        for order in BOTH:
            for number in range(HABIT):
                verdict = (Verdict.A, Verdict.B)[number % 2]
                _vote(store, f"voter-{order}", f"is held {order}", f"{order}-{number}", verdict)


def _vote(store: Store, voter: str, prompt: str, battle_id: str, verdict: Verdict) -> None:
    new = NewBattle(
        id=battle_id,
        conversation_id=battle_id,
        seats=Seats(*DISPLAYED),
        owner=voter,
        prompt=prompt,
        fingerprints=dict.fromkeys(Side, ""),
        prompt_key=prompt_key(prompt),
    )
    store.write.open_battle(new)
    for side in Side:
        store.write.finish_reply(battle_id, Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=HELLO))
    store.write.cast_vote(battle_id, voter, verdict).result()


Evening = Mapping[str, Mapping[Order, Scene]]


@pytest.fixture(
    scope="module", params=[Pace.LIVE, pytest.param(Pace.TOGETHER, marks=pytest.mark.slow), Pace.REPLAY], ids=str
)
def evening(request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """Every scene in both its orders, in one arena; each order in a tab of its own."""
    folder = tmp_path_factory.mktemp("blindness")
    (folder / "words.txt").write_text("unspeakable\n", encoding="utf-8")
    environ = {
        "ARENA_SECRET": SECRET,
        "ARENA_MODERATION__WORDS_FILE": str(folder / "words.txt"),
        "ARENA_INTEGRITY__HOLD_ABOVE": str(SUSPICION),
    }
    options = {"environ": environ, "before": with_habits, "pace": request.param, "hold_seconds": 60}
    wanted = {order: sum(order in orders for orders in WITHIN.values()) for order in Order}
    with stage(folder, wanted, aa_share=AA_SHARE, **options) as open_stage:
        open_stage.upstream.left |= {
            "stumbles": once(FAULTS["503-no-retry"]),
            "names itself": says_its_name,
            "is unfit": once(open_stage.upstream.read_first("Something unspeakable.")),
        }
        return play(open_stage, browser, request.param)


def play(stage: Stage, browser: Browser, pace: Pace) -> Evening:
    found: dict[str, dict[Order, Scene]] = {name: {} for name in SCENES}
    rest = {order: iter([name for name, orders in WITHIN.items() if order in orders]) for order in Order}
    with ExitStack() as open_tabs:
        tabs: dict[Order, Tab] = {}
        for order in islice(stage.draws, sum(map(len, WITHIN.values()))):
            if order not in tabs:
                cookies = {COOKIE: VoterCookies(SECRET).write(f"voter-{order}")}
                tabs[order] = open_tabs.enter_context(stage.tab(browser, order, **cookies))
            name = next(rest[order])
            found[name][order] = scene(stage, tabs[order], SCENES[name], pace)
            tabs[order].leave()
    return found


def scene(stage: Stage, tab: Tab, happens: Scenery, pace: Pace) -> Scene:
    """Let it happen, then vote."""
    happens(tab, pace)
    before, foreign = tab.before(), tab.received.foreign_requests(stage.arena.url)
    ratings = [standing.elo for standing in stage.arena.board().standings]
    tab.battle.button(LABELS[0]).click()
    tab.battle.button("Reveal now").click()
    tab.battle.expect_names()
    return Scene(
        before=before,
        foreign=foreign,
        messages_after=tab.received.messages(tab.battle.battle_id, tab.order),
        shown_after=tab.received.leaks(SHOWN_AFTERWARDS),
        text=tab.battle.page.locator("body").inner_text(),
        moved_ratings=[standing.elo for standing in stage.arena.board().standings] != ratings,
    )


in_every_scene = pytest.mark.parametrize("name", SCENES)


@in_every_scene
def test_no_byte_before_the_vote_names_a_model(evening: Evening, name: str) -> None:
    assert [evening[name][order].before.leaks for order in WITHIN[name]] == [set(), set()]


@in_every_scene
def test_other_models_with_the_same_answers_send_the_same_bytes(evening: Evening, name: str) -> None:
    first, second = (evening[name][order].before for order in WITHIN[name])

    assert first.messages == second.messages
    assert first.answers == second.answers
    assert len(first.messages) > 30


@in_every_scene
def test_the_comparison_of_bytes_sees_the_names_after_the_vote(evening: Evening, name: str) -> None:
    first, second = (evening[name][order].messages_after for order in WITHIN[name])

    assert first != second


def test_no_other_server_is_asked(evening: Evening) -> None:
    assert [scene.foreign for orders in evening.values() for scene in orders.values()] == [[]] * 10


def test_page_and_battle_are_among_what_is_compared(evening: Evening) -> None:
    answers = evening["stumbles"][Order.MO_LEFT].before.answers

    assert answers.keys() >= {"/", f"/?battle={'#' * 22}"}


@pytest.mark.parametrize("name", ["stumbles", "is unfit"])
def test_the_names_are_seen_where_they_stand_after_the_vote_and_ratings_move(evening: Evening, name: str) -> None:
    for order in BOTH:
        seen = evening[name][order]

        assert seen.shown_after >= {(where, word) for where in ("frame", "document") for word in SHOWN_AFTERWARDS}
        assert re.search(r"Elo.*[+−]\d", seen.text)
        assert seen.moved_ratings


def test_a_name_in_an_answer_is_seen_after_the_vote_which_does_not_count(evening: Evening) -> None:
    for order, model in zip(BOTH, PAIR, strict=True):
        seen = evening["names itself"][order]

        assert f"I am {model['display_name']}, at your service." in seen.text
        assert NOT_COUNTED["leaked"] in seen.text
        assert "Elo" not in seen.text
        assert not seen.moved_ratings


def test_a_held_vote_shows_the_names_says_that_it_is_held_and_moves_nothing(evening: Evening) -> None:
    for order in BOTH:
        seen = evening["is held"][order]

        assert {f"{model['display_name']}" in seen.text for model in PAIR} == {True}
        assert NOT_COUNTED["suspicious"] in seen.text
        assert "Elo" not in seen.text
        assert not seen.moved_ratings


def test_a_model_that_met_itself_is_named_twice_after_the_vote_and_alone(evening: Evening) -> None:
    for order, model, other in zip(TWICE, PAIR, reversed(PAIR), strict=True):
        seen = evening["meets itself"][order]

        assert seen.text.count(f": {model['display_name']}") == 2
        assert other["display_name"] not in seen.text
        assert NOT_COUNTED["aa"] in seen.text
        assert "Elo" not in seen.text
        assert not seen.moved_ratings


def test_a_leak_is_found_wherever_it_hides(new_context: NewContext) -> None:
    context = new_context()
    received = Received(context)
    headers = {"x-served-by": "zweihorn", "set-cookie": "last=zweihorn"}
    context.route("**/*", lambda route: route.fulfill(body="<title>ZWEIHORN</title>", headers=headers))
    page = context.new_page()

    page.goto("http://arena.test/zweihorn")
    page.evaluate("localStorage.setItem('model', 'Zweihorn')")

    places = {"address", "header", "body", "document", "title", "storage", "cookie"}
    assert received.leaks(["zweihorn"]) == {(place, "zweihorn") for place in places}
    assert received.foreign_requests("http://other.test") == ["http://arena.test/zweihorn"]
