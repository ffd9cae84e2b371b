"""Battles of which one side meets each fault of the table, all at once, while the other side is fine."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from arena.domain import (
    Battle,
    BattleKind,
    BattleState,
    ModelSpec,
    Reply,
    ReplyStatus,
    Seats,
    Side,
    Turn,
)
from arena.identity import Names
from arena.live import LiveBattle
from arena.providers import StreamLimits
from arena.providers.openai_chat import OpenAIChat
from arena.streaming import Endpoint, StreamJob, Streams
from arena.views import BattleView, battle_view
from tests.asking import PROMPT
from tests.fault_cases import CASES, HELLO, LIMITS, Upstreams
from tests.fault_server import wait_until
from tests.faults import KEY, NAME

FAILED = [name for name, case in CASES.items() if case.fault]
HEALED = [name for name, case in CASES.items() if not case.fault]
FAULTY, FINE = Side.A, Side.B
SPECS = {
    side: ModelSpec(
        name=f"planted-{side}",
        provider="openai_chat",
        display_name=f"Planted {side}",
        upstream_id=NAME,
        organisation="Planted Works",
    )
    for side in Side
}


@dataclass(frozen=True, slots=True)
class Played:
    """All the battles by the fault that one of their sides met, and what was logged meanwhile."""

    replies: Mapping[str, Mapping[Side, Reply]]
    log: str


class Log(logging.Handler):
    """Keeps what is logged, as a file would hold it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    with Upstreams(tmp_path_factory.mktemp("certificates")) as upstreams:
        yield upstreams


@pytest.fixture(scope="module")
def played(upstreams: Upstreams) -> Played:
    replies: dict[str, dict[Side, Reply]] = {name: {} for name in CASES}
    log = Log()
    logging.getLogger().addHandler(log)

    def record(battle_id: str, reply: Reply) -> Future[object]:
        replies[battle_id][reply.side] = reply
        stored: Future[object] = Future()
        stored.set_result(None)
        return stored

    with ExitStack() as stack:
        stack.callback(logging.getLogger().removeHandler, log)
        battles: list[LiveBattle] = []
        for limits in LIMITS:
            streams = Streams({"openai_chat": OpenAIChat()}, record=record, renew=len, limits=limits, lease_seconds=600)
            stack.callback(streams.close)
            battles += start(streams, upstreams, limits)
        wait_until(lambda: all(battle.done for battle in battles), seconds=100)
    return Played(replies, "\n".join(log.lines))


def start(streams: Streams, upstreams: Upstreams, limits: StreamLimits) -> Sequence[LiveBattle]:
    return [
        streams.start(name, [job(FAULTY, upstreams.url(name)), job(FINE, upstreams.url("ok"))])
        for name, case in CASES.items()
        if case.limits is limits
    ]


def job(side: Side, url: str) -> StreamJob:
    endpoint = Endpoint(url, KEY)
    return StreamJob(turn=1, side=side, attempt=1, spec=SPECS[side], messages=PROMPT, resolve=lambda: endpoint)


def seen(replies: Mapping[Side, Reply]) -> BattleView:
    """What a page gets to know."""
    battle = Battle(
        id="b",
        conversation_id="c",
        ordinal=1,
        kind=BattleKind.RANKED,
        seats=Seats(*(spec.name for spec in SPECS.values())),
        state=BattleState.STUCK,
        owner="me",
        turns=(Turn(ordinal=1, prompt=PROMPT[0].text, replies=replies),),
        created_at=datetime.now(UTC),
    )
    specs = {spec.name: spec for spec in SPECS.values()}
    return battle_view(battle, live=None, held=None, problem=None, specs=specs, names=Names.of(specs.values()))


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_side_is_recorded_with_its_fault(played: Played, name: str) -> None:
    reply = played.replies[name][FAULTY]

    assert reply.status is ReplyStatus.FAILED
    assert reply.fault is CASES[name].fault
    assert reply.finish_reason is None


@pytest.mark.parametrize("name", HEALED)
def test_a_healed_side_is_recorded_as_fine(played: Played, name: str) -> None:
    reply = played.replies[name][FAULTY]

    assert (reply.status, reply.fault) == (ReplyStatus.OK, None)
    assert reply.text == CASES[name].text


@pytest.mark.parametrize("name", CASES)
def test_the_other_side_goes_on(played: Played, name: str) -> None:
    reply = played.replies[name][FINE]

    assert (reply.status, reply.text) == (ReplyStatus.OK, HELLO)


def test_no_side_asks_more_than_twice(played: Played, upstreams: Upstreams) -> None:
    assert {name: upstreams.requests(name) for name in played.replies} == {
        name: case.requests for name, case in CASES.items()
    }
    assert upstreams.requests("ok") == len(CASES)
    assert upstreams.elsewhere.requests == []


@pytest.mark.parametrize("name", CASES)
def test_what_a_page_gets_to_know_names_no_model_key_or_address(played: Played, name: str) -> None:
    told = repr(seen(played.replies[name])).lower()

    assert "planted" not in told
    assert "://" not in told


@pytest.mark.parametrize("name", FAILED)
def test_only_the_failed_side_can_be_retried(played: Played, name: str) -> None:
    [turn] = seen(played.replies[name]).turns

    assert turn.sides[FAULTY].retryable
    assert not turn.sides[FINE].retryable


def test_the_log_names_the_model_and_never_the_key(played: Played) -> None:
    assert len([line for line in played.log.splitlines() if "a model failed" in line]) == len(FAILED)
    assert NAME in played.log
    assert KEY not in played.log
