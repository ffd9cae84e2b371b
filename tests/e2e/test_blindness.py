"""Until the vote is final, nothing that reaches the browser depends on which models answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from random import Random

import pytest
from playwright.sync_api import Browser, expect

from arena.domain import ModelSpec, Seats, Side
from arena.matchmaking import draw_pairing
from tests.e2e.arena_process import Model, arena_process
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import DEADLINE_MS, NewContext
from tests.e2e.received import Messages, Received
from tests.fault_server import BY_PROMPT, FaultServer
from tests.faults import FAULTS, Exchange, Handler

pytestmark = pytest.mark.e2e

# As unlike each other as two models can be; no word of it may stand in any other text.
ZWEIHORN = {
    "name": "zweihorn-7b-chat",
    "display_name": "Zweihorn Sieben",
    "aliases": ["zwh7"],
    "organisation": "Polder Works",
    "licence": "Polder-Licence-3",
    "link": "https://card.polder.example/7b",
    "upstream_id": "upstream/zwei-0711",
    "base_url": "http://inference.polder.example:8123/v1",
    "key_variable": "POLDER_CREDENTIAL",
    "system_prompt": "Speak as the zweihorn does.",
    "knowledge_cutoff": "1987-03",
    "parameters": "7.0711B",
}
MO = {"name": "mo-xi", "display_name": "Mo-Xi", "upstream_id": "m/0", "price_in": 4711.25, "organisation": "Yew & Elm"}
ENVIRON = {str(ZWEIHORN["key_variable"]): "sk-for-the-zweihorn"}
SECRETS = (
    *("zweihorn", "zwh7", "polder", "zwei-0711", "1987-03", "7.0711b"),
    *("mo-xi", "4711.25", "yew & elm", "yew &amp; elm", "scripted"),
    "sk-for-the",
    "planted",  # in what failing upstreams say
)
SHOWN_AFTERWARDS = ("Zweihorn Sieben", "https://card.polder.example/7b", "Mo-Xi")

# Both wait, so that the page is drawn once before any text; then all of it comes at once.
LEFT = {
    "text": ["It is **Paris**.", "Left again."],
    "first_token_ms": 700,
    "words_per_token": 50,
    "fault": "overloaded",
    "fault_after_tokens": 1,
    "fault_times": 1,
}
RIGHT = {"text": ["Paris, I think.", "Right again."], "first_token_ms": 700, "words_per_token": 50}

# What the page says when the left model's server does this; each body or event that can names models and a key.
FAULTY = {
    "401": "not set up correctly",
    "503-always": "very busy",
    "error-object": "very busy",
    "rst-mid-stream": "connection broke",
    "refusal": "content filter",
    "other-model": "Hello world",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one browser received in one battle: before its vote was final, and by its end."""

    leaks: set[tuple[str, str]]
    foreign: list[str]
    messages: Messages
    answers: Mapping[str, object]
    messages_after: Messages
    shown_after: set[tuple[str, str]]


@pytest.fixture(scope="module")
def runs(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same battle twice: the answers left and right are the same, the models who give them are swapped."""
    results = []
    for left, right in ((ZWEIHORN, MO), (MO, ZWEIHORN)):
        models = [
            {**model, "provider": "scripted", "script": LEFT if model is left else RIGHT} for model in (ZWEIHORN, MO)
        ]
        seed = seed_that_seats(left, right)
        folder = tmp_path_factory.mktemp("blindness")
        with arena_process(folder, models=models, environ=ENVIRON, seed=seed, hold_seconds=60) as arena:
            results.append(play(browser, arena.url))
    first, second = results
    return first, second


def seed_that_seats(left: Model, right: Model, *, battles: int = 1) -> int:
    """The draw depends on weights and order alone."""
    specs = [ModelSpec(name=str(m["name"]), provider="scripted", display_name="") for m in (ZWEIHORN, MO)]
    wanted = Seats(a=str(left["name"]), b=str(right["name"]))

    def seats_all(seed: int) -> bool:
        rng = Random(seed)
        return all(draw_pairing(specs, rng=rng).seats == wanted for _ in range(battles))

    return next(filter(seats_all, count()))


def play(browser: Browser, url: str) -> Run:
    """A failed side, its retry, a second turn, a vote undone, a reload; and only then the vote."""
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(DEADLINE_MS)
        received = Received(context)
        battle = BattlePage(context.new_page(), url).open().ask("What is the capital of France?")
        expect(battle.pane(Side.A)).to_contain_text("This model is very busy")
        battle.button("Retry this side").click()
        battle.expect_votable().ask("And once more?").expect_votable().expect_answers("again")
        battle.button(LABELS[0]).click()
        expect(battle.page.get_by_text("final in 58 s")).to_be_visible()
        battle.button("Undo").click()
        battle.expect_votable()
        battle_id = battle.battle_id
        battle.page.reload()
        battle.expect_votable()
        before = received.messages(battle_id=battle_id)
        answers = received.answers(battle_id=battle_id)
        leaks, foreign = received.leaks(SECRETS), received.foreign_requests(url)
        battle.button(LABELS[0]).click()
        battle.button("Reveal now").click()
        battle.expect_names()
        return Run(
            leaks=leaks,
            foreign=foreign,
            messages=before,
            answers=answers,
            messages_after=received.messages(battle_id=battle_id),
            shown_after=received.leaks(SHOWN_AFTERWARDS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What one browser received in one battle whose left side failed."""

    leaks: set[tuple[str, str]]
    messages: Messages


@pytest.fixture(scope="module")
def failures(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Failure], ...]:
    """Battles whose left upstream fails, by its fault; then the same with the models swapped."""
    results = []
    with FaultServer() as server:
        server.faults |= {name: later(FAULTS[name]) for name in FAULTY}
        server.faults["fine"] = later(lambda exchange: exchange.answer("Hello world"))
        for left, right in ((ZWEIHORN, MO), (MO, ZWEIHORN)):
            urls = {str(left["name"]): server.url(BY_PROMPT), str(right["name"]): server.url("fine")}
            models = [{**model, "base_url": f"{urls[str(model['name'])]}/polder"} for model in (ZWEIHORN, MO)]
            seed = seed_that_seats(left, right, battles=len(FAULTY))
            folder = tmp_path_factory.mktemp("failures")
            never_rests = {**ENVIRON, "ARENA_BREAKER__FAILURES": "0"}
            with arena_process(folder, models=models, environ=never_rests, seed=seed) as arena:
                results.append(fail(browser, arena.url))
    return tuple(results)


def later(handler: Handler) -> Handler:
    """`handler` after the page was drawn once without any text."""

    async def wait_first(exchange: Exchange) -> None:
        await asyncio.sleep(0.7)
        await handler(exchange)

    return wait_first


def fail(browser: Browser, url: str) -> Mapping[str, Failure]:
    """One tab that meets one fault after the other."""
    found = {}
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(DEADLINE_MS)
        received = Received(context)
        battle = BattlePage(context.new_page(), url).open()
        for fault, sentence in FAULTY.items():
            battle.ask(fault)
            expect(battle.pane(Side.A)).to_contain_text(sentence)
            expect(battle.button("Stop")).to_have_count(0)
            battle_id = battle.battle_id
            found[fault] = Failure(leaks=received.leaks(SECRETS), messages=received.messages(battle_id=battle_id))
            received.forget()
            battle.button("New round").or_(battle.button("Skip this battle")).click()
            expect(battle.page.get_by_text("How it works")).to_be_visible()
    return found


@pytest.mark.parametrize("fault", FAULTY)
def test_no_byte_about_a_failed_side_names_a_model(failures: tuple[Mapping[str, Failure], ...], fault: str) -> None:
    assert [run[fault].leaks for run in failures] == [set(), set()]


@pytest.mark.parametrize("fault", FAULTY)
def test_swapped_models_with_the_same_fault_send_the_same_bytes(
    failures: tuple[Mapping[str, Failure], ...], fault: str
) -> None:
    first, second = (run[fault] for run in failures)

    assert first.messages == second.messages
    assert len(first.messages) > 10


def test_no_byte_before_the_vote_names_a_model(runs: tuple[Run, Run]) -> None:
    assert [run.leaks for run in runs] == [set(), set()]


def test_no_other_server_is_asked(runs: tuple[Run, Run]) -> None:
    assert [run.foreign for run in runs] == [[], []]


def test_the_names_are_seen_where_they_stand_after_the_vote(runs: tuple[Run, Run]) -> None:
    for run in runs:
        assert run.shown_after >= {(where, word) for where in ("frame", "document") for word in SHOWN_AFTERWARDS}


def test_swapped_models_with_the_same_answers_send_the_same_bytes(runs: tuple[Run, Run]) -> None:
    first, second = runs

    assert first.messages == second.messages
    assert first.answers == second.answers
    assert len(first.messages) > 50
    assert first.answers.keys() >= {"/", "/?battle=B"}


def test_the_comparison_of_bytes_sees_the_names_after_the_vote(runs: tuple[Run, Run]) -> None:
    first, second = runs

    assert first.messages_after != second.messages_after


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
