"""Whatever a model's server does, nothing that reaches the browser before the vote depends on who the model is.

Here the left model's server fails and the right one is well; then the models are swapped.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import pytest
from _pytest.mark.structures import ParameterSet
from playwright.sync_api import Browser, expect
from playwright.sync_api import Error as PlaywrightError

from arena.domain import Fault, Pace, Side
from tests.asking import PATIENT
from tests.e2e.battle_page import BattlePage
from tests.e2e.two_orders import BOTH, Before, Order, Stage, meet, stage
from tests.fault_cases import CASES, Upstreams
from tests.fault_server import refused_url
from tests.faults import Exchange
from words import FAULTS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

LIMITS = {
    "ARENA_LIMITS__FIRST_TOKEN_SECONDS": "4",
    "ARENA_LIMITS__SILENCE_SECONDS": "2",
    "ARENA_LIMITS__TOTAL_SECONDS": "8",
    "ARENA_LIMITS__MAX_CHARACTERS": "15000",
    "ARENA_LIMITS__MAX_BYTES": "3000000",
}
# It is the model's address that is wrong, so that nobody at the other end can wait for the page.
ADDRESSES = ("refused", "unknown-host", "expired-certificate", "wrong-host-certificate", "unknown-authority", "no-tls")
LONG = {"401-hangs", "429-wait-1", "429-wait-3", "429-wait-unknown", "100000-deltas"}
TOO_LONG_HERE = {"100000-deltas"}
BY_THE_CLOCK = {"endless-text"}  # as many words as fit into the time: no two are alike
SERVED = tuple(name for name in CASES if name not in ADDRESSES)
# In bodies and events of these the upstream names models and a key.
TALKATIVE = ("401", "503-always", "error-object", "rst-mid-stream", "refusal", "other-model")
ONE_OF_EACH = {(CASES[name].fault, CASES[name].asked_again): name for name in reversed(SERVED) if name not in LONG}
QUICK = tuple(name for name in SERVED if name in {*TALKATIVE, *ONE_OF_EACH.values()} and CASES[name].limits is PATIENT)
SLOW = tuple(name for name in SERVED if name not in QUICK)

Seen = Mapping[str, Mapping[Order, Before]]


@dataclass(frozen=True, slots=True)
class Night:
    """What is played in one arena."""

    name: str
    pace: Pace
    faults: tuple[str, ...]


def nights() -> Iterator[ParameterSet]:
    """Each fault with the night it belongs to; the first night alone is quick."""
    first = Night("quick", Pace.LIVE, QUICK)
    yield from (pytest.param(first, fault, id=f"live-{fault}") for fault in first.faults)
    others = [Night("slow", Pace.LIVE, SLOW), *(Night("all", pace, SERVED) for pace in (Pace.TOGETHER, Pace.REPLAY))]
    others += [Night("addresses", pace, ADDRESSES) for pace in Pace]
    for night in others:
        for fault in night.faults:
            yield pytest.param(night, fault, id=f"{night.pace}-{fault}", marks=pytest.mark.slow)


every_fault = pytest.mark.parametrize(("night", "fault"), list(nights()))


@pytest.fixture(scope="module")
def played() -> dict[Night, Seen | BaseException]:
    """What came of the nights so far."""
    return {}


@pytest.fixture
def seen(
    night: Night,
    played: dict[Night, Seen | BaseException],
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Seen:
    """All battles of a night, in one arena and two tabs; played once, also when they fail."""
    if night not in played:
        try:
            played[night] = play(night, browser, tmp_path_factory)
        except (AssertionError, PlaywrightError) as error:
            played[night] = error
    outcome = played[night]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def play(night: Night, browser: Browser, folders: pytest.TempPathFactory) -> Seen:
    with ExitStack() as running:
        named = running.enter_context(Upstreams(folders.mktemp("certificates")))
        wanted = dict.fromkeys(BOTH, len(night.faults))
        open_stage = running.enter_context(stage(folders.mktemp("faults"), wanted, environ=LIMITS, pace=night.pace))
        open_stage.upstream.left["redirect-other"] = lead_away
        return meet(open_stage, browser, night.faults, until=until_ended, first=Addresses(open_stage, named).prepare)


class Addresses:
    """Gives the left model an address where the fault is, when the fault is the address."""

    def __init__(self, stage: Stage, named: Upstreams) -> None:
        self._stage = stage
        self._named = named
        self._numbers = count(1)

    def prepare(self, fault: str, order: Order) -> None:
        if fault in ADDRESSES:
            models = self._stage.upstream.models_with(self._named.url(fault), number=next(self._numbers), order=order)
            self._stage.arena.rewrite(models)


async def lead_away(exchange: Exchange) -> None:
    await exchange.head(307, "text/plain", Location=f"{refused_url()}/chat/completions")


def until_ended(battle: BattlePage, name: str) -> None:
    fault = Fault.TOO_LARGE if name in TOO_LONG_HERE else CASES[name].fault
    if fault is None:
        battle.expect_votable()
    else:
        expect(battle.pane(Side.A)).to_contain_text(FAULTS[fault])
        expect(battle.button("Stop")).to_have_count(0)


@every_fault
def test_no_byte_about_a_failed_side_names_a_model(seen: Seen, fault: str) -> None:
    assert [seen[fault][order].leaks for order in BOTH] == [set(), set()]


@every_fault
def test_swapped_models_with_the_same_fault_send_the_same_bytes(seen: Seen, night: Night, fault: str) -> None:
    first, second = (seen[fault][order].messages for order in BOTH)

    if fault in BY_THE_CLOCK or (night.pace is Pace.LIVE and fault in ADDRESSES):
        assert first.keys() == second.keys()
    else:
        assert first == second
    assert len(first) > 10
