import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Event
from threading import enumerate as all_threads
from typing import Any

import pytest
from fault_server import FaultServer, wait_until
from faults import KEY

from arena.domain import Fault, FinishReason, Message, ModelSpec, Reply, ReplyStatus, Role, Side
from arena.errors import ProviderFault
from arena.live import LiveBattle
from arena.providers import PROVIDERS, Provider, StreamLimits
from arena.streaming import Endpoint, StreamJob, Streams

SPEC = ModelSpec(name="m", provider="scripted", display_name="M", script={"text": "Hello world"})
FOREVER: dict[str, Any] = {"text": "tick " * 10_000, "tokens_per_second": 50}
PROMPT = (Message(Role.USER, "hi"),)


class Records:
    """What was recorded and renewed; `hold` keeps recordings waiting, `broken` lets them fail."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, Reply]] = []
        self.renewed: list[Sequence[str]] = []
        self.waiting: list[Future[object]] = []
        self.hold = False
        self.broken = False

    def record(self, battle_id: str, reply: Reply) -> Future[object]:
        future: Future[object] = Future()
        self.replies.append((battle_id, reply))
        if self.broken:
            future.set_exception(OSError("disk full"))
        elif self.hold:
            self.waiting.append(future)
        else:
            future.set_result(None)
        return future

    def of(self, side: Side) -> Reply:
        [reply] = [reply for _, reply in self.replies if reply.side is side]
        return reply

    def statuses(self) -> list[ReplyStatus]:
        return [reply.status for _, reply in self.replies]


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def make_streams(records: Records) -> Iterator[Callable[..., Streams]]:
    made: list[Streams] = []

    def make(*, lease_seconds: float = 60.0, providers: dict[str, Provider] | None = None) -> Streams:
        streams = Streams(
            providers or {name: build() for name, build in PROVIDERS.items()},
            record=records.record,
            renew=records.renewed.append,
            limits=StreamLimits(),
            lease_seconds=lease_seconds,
        )
        made.append(streams)
        return streams

    yield make
    for streams in made:
        streams.close()


@pytest.fixture
def streams(make_streams: Callable[..., Streams]) -> Streams:
    return make_streams()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def job(
    side: Side = Side.A, *, base_url: str = "", attempt: int = 1, spec: ModelSpec = SPEC, **script: object
) -> StreamJob:
    return StreamJob(
        turn=1,
        side=side,
        attempt=attempt,
        spec=replace(spec, script={**spec.script, **script}),
        messages=PROMPT,
        resolve=lambda: Endpoint(base_url, KEY),
    )


def upstream_job(server: FaultServer, fault: str, side: Side = Side.A) -> StreamJob:
    return job(side, base_url=server.url(fault), spec=replace(SPEC, provider="openai_chat"))


def wait_for_end(battle: LiveBattle) -> None:
    wait_until(lambda: battle.done)


def test_both_sides_stream_at_once(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [job(Side.A, **FOREVER), job(Side.B, **FOREVER)])

    wait_until(lambda: all(len(side.text) > 20 for side in battle.sides.values()))

    assert not battle.done
    assert records.replies == []


def test_a_whole_answer_is_recorded_with_its_figures(streams: Streams, records: Records) -> None:
    spec = replace(SPEC, price_in=1_000_000.0, price_out=2_000_000.0)

    battle = streams.start("b", [job(spec=spec)])
    wait_for_end(battle)

    [(battle_id, reply)] = records.replies
    assert battle_id == "b"
    assert (reply.turn, reply.side, reply.attempt, reply.status) == (1, Side.A, 1, ReplyStatus.OK)
    assert reply.text == battle.sides[Side.A].text == "Hello world"
    assert reply.finish_reason is FinishReason.STOP
    assert reply.fingerprint == spec.fingerprint
    assert reply.model_seen == "m"
    assert reply.started_at is not None
    assert reply.figures.tokens_in == 1
    assert reply.figures.tokens_out == 2
    assert reply.figures.cost_usd == 1 * 1.0 + 2 * 2.0
    assert reply.figures.first_token_ms is not None
    assert reply.figures.duration_ms is not None
    assert reply.figures.first_token_ms <= reply.figures.duration_ms


@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, price_in=1.0), replace(SPEC, price_out=1.0)])
def test_an_unknown_price_makes_an_unknown_cost(streams: Streams, records: Records, spec: ModelSpec) -> None:
    wait_for_end(streams.start("b", [job(spec=spec)]))

    assert records.of(Side.A).figures.cost_usd is None


def test_usage_that_an_upstream_keeps_to_itself_makes_an_unknown_cost(
    streams: Streams, records: Records, server: FaultServer
) -> None:
    spec = replace(SPEC, provider="openai_chat", price_in=1.0, price_out=1.0)

    wait_for_end(streams.start("b", [job(spec=spec, base_url=server.url("no-usage-options"))]))

    assert records.of(Side.A).status is ReplyStatus.OK
    assert records.of(Side.A).figures.cost_usd is None


def test_a_side_shows_its_end_only_once_it_is_stored(streams: Streams, records: Records) -> None:
    records.hold = True
    battle = streams.start("b", [job()])
    wait_until(lambda: records.waiting)

    assert battle.sides[Side.A].status is ReplyStatus.STREAMING
    assert streams.get("b") is battle

    records.waiting[0].set_result(None)
    wait_for_end(battle)

    assert battle.sides[Side.A].status is ReplyStatus.OK
    assert streams.get("b") is None


def test_a_battle_stays_readable_after_it_left(streams: Streams) -> None:
    battle = streams.start("b", [job()])
    wait_for_end(battle)
    wait_until(lambda: streams.live_count() == 0)

    battle.touch()
    battle.stop()

    assert battle.sides[Side.A].text == "Hello world"


def test_a_reply_that_cannot_be_stored_is_shown_as_failed(
    streams: Streams, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    records.broken = True

    battle = streams.start("b", [job()])
    wait_for_end(battle)

    assert battle.sides[Side.A].status is ReplyStatus.FAILED
    assert battle.sides[Side.A].fault is Fault.INTERNAL
    assert "a reply could not be stored" in caplog.text


def test_one_failed_side_leaves_the_other_alone(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [job(Side.A, fault="quota", fault_after_tokens=1), job(Side.B)])
    wait_for_end(battle)

    assert records.of(Side.A).status is battle.sides[Side.A].status is ReplyStatus.FAILED
    assert records.of(Side.A).fault is battle.sides[Side.A].fault is Fault.QUOTA
    assert records.of(Side.A).text == "Hello"
    assert records.of(Side.B).status is ReplyStatus.OK


def test_a_model_that_is_not_ready_fails_with_that_fault(streams: Streams, records: Records) -> None:
    def not_ready() -> Endpoint:
        raise ProviderFault(Fault.NOT_READY, "still being fetched")

    wait_for_end(streams.start("b", [replace(job(), resolve=not_ready)]))

    assert records.of(Side.A).fault is Fault.NOT_READY
    assert records.of(Side.A).figures.first_token_ms is None


def test_an_error_of_any_kind_ends_one_reply_and_tells_no_key(
    streams: Streams, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Endpoint:
        raise ZeroDivisionError(KEY)

    wait_for_end(streams.start("b", [replace(job(), resolve=broken)]))
    wait_for_end(streams.start("c", [job()]))

    assert [reply.fault for _, reply in records.replies] == [Fault.INTERNAL, None]
    assert "ZeroDivisionError" in caplog.text
    assert KEY not in caplog.text


def test_a_failing_upstream_is_logged_for_the_operator_without_its_key(
    streams: Streams, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    wait_for_end(streams.start("b", [upstream_job(server, "401")]))

    [line] = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert "Incorrect API key" in line.getMessage()
    assert KEY not in line.getMessage()
    assert line.__dict__["fault"] == "refused_key"


def test_stop_reaches_the_upstream_and_keeps_the_partial_text(
    streams: Streams, records: Records, server: FaultServer
) -> None:
    battle = streams.start("b", [upstream_job(server, "slow", Side.A), upstream_job(server, "slow", Side.B)])
    wait_until(lambda: all("tick" in side.text for side in battle.sides.values()))

    battle.stop()
    wait_for_end(battle)

    assert all(request.gone.wait(30) for request in server.asked("slow"))
    assert records.statuses() == [ReplyStatus.STOPPED] * 2
    assert records.of(Side.A).text == battle.sides[Side.A].text
    assert "tick" in records.of(Side.A).text
    assert records.of(Side.A).fault is None


def test_one_side_can_be_stopped_alone(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [job(Side.A, **FOREVER), job(Side.B, **FOREVER)])

    battle.stop(Side.A)
    battle.stop(Side.A)
    wait_until(lambda: records.replies)

    assert records.of(Side.A).status is ReplyStatus.STOPPED
    assert battle.sides[Side.B].status is ReplyStatus.STREAMING


def test_stop_works_before_the_first_token(streams: Streams, records: Records, server: FaultServer) -> None:
    battle = streams.start("b", [upstream_job(server, "hang")])
    request = server.wait_for_request("hang")

    battle.stop()

    assert request.gone.wait(30)
    wait_for_end(battle)
    assert records.of(Side.A).status is ReplyStatus.STOPPED


def test_a_stop_right_after_the_start_is_recorded_too(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [job(**FOREVER)])

    battle.stop()
    wait_for_end(battle)

    assert records.of(Side.A).status is ReplyStatus.STOPPED


def test_a_stop_while_the_end_is_being_stored_changes_nothing(streams: Streams, records: Records) -> None:
    records.hold = True
    battle = streams.start("b", [job()])
    wait_until(lambda: records.waiting)

    battle.stop()
    streams.call_later(0, lambda: records.waiting[0].set_result(None))
    wait_for_end(battle)

    assert battle.sides[Side.A].status is ReplyStatus.OK
    assert records.statuses() == [ReplyStatus.OK]


def test_a_battle_that_nobody_watches_is_interrupted(
    make_streams: Callable[..., Streams], records: Records, server: FaultServer
) -> None:
    streams = make_streams(lease_seconds=0.3)

    battle = streams.start("b", [upstream_job(server, "slow", Side.A), upstream_job(server, "slow", Side.B)])
    wait_for_end(battle)

    assert records.statuses() == [ReplyStatus.INTERRUPTED] * 2
    assert all(request.gone.wait(30) for request in server.asked("slow"))


def test_a_battle_that_is_watched_goes_on(make_streams: Callable[..., Streams], records: Records) -> None:
    streams = make_streams(lease_seconds=2.0)
    watched = streams.start("watched", [job(**FOREVER)])
    left = streams.start("left", [job(**FOREVER)])

    def watch() -> bool:
        watched.touch()
        return left.done

    wait_until(watch)

    assert not watched.done
    assert [battle_id for battle_id, _ in records.replies] == ["left"]


def test_a_side_can_be_retried_while_the_other_goes_on(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [job(Side.A, fault="quota"), job(Side.B, **FOREVER)])
    wait_until(lambda: battle.sides[Side.A].status is ReplyStatus.FAILED)
    other = battle.sides[Side.B]

    again = streams.start("b", [job(Side.A, attempt=2)])
    wait_until(lambda: again.sides[Side.A].status is ReplyStatus.OK)

    assert again is battle
    assert again.sides[Side.B] is other
    assert not again.done
    assert [(reply.attempt, reply.status) for _, reply in records.replies] == [
        (1, ReplyStatus.FAILED),
        (2, ReplyStatus.OK),
    ]


def test_a_retry_after_the_battle_left_is_a_new_live_battle(streams: Streams) -> None:
    first = streams.start("b", [job(fault="quota")])
    wait_for_end(first)
    wait_until(lambda: streams.get("b") is None)

    second = streams.start("b", [job(attempt=2)])
    wait_for_end(second)

    assert second is not first
    assert second.sides[Side.A].attempt == 2
    assert second.sides[Side.A].status is ReplyStatus.OK


def test_leases_of_live_battles_are_renewed_in_one_call(streams: Streams, records: Records) -> None:
    streams.start("b", [job(**FOREVER)])
    streams.start("c", [job(**FOREVER)])

    wait_until(lambda: records.renewed)

    assert sorted(records.renewed[0]) == ["b", "c"]
    assert streams.live_count() == 2


def test_a_chore_that_fails_is_logged_and_tried_again(records: Records, caplog: pytest.LogCaptureFixture) -> None:
    def fail(battle_ids: Sequence[str]) -> None:
        records.renewed.append(battle_ids)
        raise OSError("disk full")

    streams = Streams({"scripted": PROVIDERS["scripted"]()}, record=records.record, renew=fail, lease_seconds=60)
    streams.start("b", [job(**FOREVER)])

    try:
        wait_until(lambda: len(records.renewed) >= 2)
    finally:
        streams.close()

    assert "a chore of the streams failed" in caplog.text


def test_close_records_what_was_under_way_as_interrupted(
    streams: Streams, records: Records, server: FaultServer
) -> None:
    battle = streams.start("b", [job(Side.A, **FOREVER), upstream_job(server, "slow", Side.B)])
    wait_until(lambda: all("tick" in side.text for side in battle.sides.values()))

    streams.close()
    streams.close()

    assert battle.done
    assert records.statuses() == [ReplyStatus.INTERRUPTED] * 2
    assert "tick" in records.of(Side.B).text
    assert server.asked("slow")[0].gone.wait(30)


def test_close_ends_what_was_started_a_moment_before(streams: Streams, records: Records) -> None:
    battles = [streams.start(f"b{n}", [job(**FOREVER)]) for n in range(20)]

    streams.close()

    assert all(battle.done for battle in battles)
    assert records.statuses() == [ReplyStatus.INTERRUPTED] * 20


def test_after_the_close_nothing_can_be_started_and_nothing_breaks(streams: Streams) -> None:
    battle = streams.start("b", [job(**FOREVER)])
    streams.close()

    battle.stop()
    streams.call_later(0, lambda: None).cancel()
    with pytest.raises(RuntimeError, match="closed"):
        streams.start("c", [job()])


def test_close_ends_the_thread(make_streams: Callable[..., Streams]) -> None:
    before = set(all_threads())
    streams = make_streams()
    threads = set(all_threads()) - before

    streams.close()

    assert threads
    assert not any(thread.is_alive() for thread in threads)


def test_a_provider_that_does_not_close_keeps_no_other_from_closing(
    make_streams: Callable[..., Streams], caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(type(PROVIDERS["scripted"]())):  # type: ignore[misc]
        async def close(self) -> None:
            raise OSError("no")

    class Polite(type(PROVIDERS["scripted"]())):  # type: ignore[misc]
        closed = False

        async def close(self) -> None:
            self.closed = True

    polite = Polite()
    make_streams(providers={"stubborn": Stubborn(), "polite": polite}).close()

    assert polite.closed
    assert "a provider did not close" in caplog.text


def test_a_call_can_be_made_later(streams: Streams) -> None:
    called = Event()

    streams.call_later(0.01, called.set)

    assert called.wait(30)


def test_a_cancelled_call_is_not_made(streams: Streams) -> None:
    called, later = Event(), Event()

    streams.call_later(0.05, called.set).cancel()
    streams.call_later(0.1, later.set)

    assert later.wait(30)
    assert not called.is_set()


def test_a_late_call_that_fails_is_logged(streams: Streams, caplog: pytest.LogCaptureFixture) -> None:
    later = Event()

    streams.call_later(0, lambda: 1 / 0)
    streams.call_later(0.01, later.set)

    assert later.wait(30)
    assert "a delayed call failed" in caplog.text


def test_a_long_answer_is_whole_for_a_reader_who_looks_often(streams: Streams) -> None:
    text = "word " * 20_000
    battle = streams.start("b", [job(text=text)])
    lengths = []

    def read() -> bool:
        done = battle.done
        lengths.append(len(battle.sides[Side.A].text))
        return done

    wait_until(read)

    assert battle.sides[Side.A].text == text
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(text)


class Stars:
    """A mask that shows every o as a star and holds the last character back."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str, /) -> str:
        text = self._held + piece.replace("o", "*")
        self._held = text[-1:]
        return text[:-1]

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held


def test_readers_see_the_mask_and_the_record_what_was_written(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [replace(job(), mask=Stars)])
    wait_for_end(battle)

    assert battle.sides[Side.A].text == "Hell* w*rld"
    assert records.of(Side.A).text == "Hello world"


def test_what_a_mask_held_back_is_shown_when_an_answer_is_stopped(streams: Streams, records: Records) -> None:
    battle = streams.start("b", [replace(job(**FOREVER), mask=Stars)])
    wait_until(lambda: len(battle.sides[Side.A].text) > 10)
    battle.stop()
    wait_for_end(battle)

    assert battle.sides[Side.A].text == records.of(Side.A).text


def test_hidden_answers_cannot_be_read_before_they_are_stored(streams: Streams, records: Records) -> None:
    records.hold = True

    battle = streams.start("b", [job(Side.A), job(Side.B)], hidden=True)
    wait_until(lambda: len(records.waiting) == 2)

    shown = [side.text for side in battle.sides.values()]
    for waiting in records.waiting:
        waiting.set_result(None)  # closing waits for what is being stored

    assert shown == ["", ""]
    assert {reply.text for _, reply in records.replies} == {"Hello world"}


def test_an_inspector_may_turn_an_answer_into_a_failure(streams: Streams, records: Records) -> None:
    async def refuse(job: StreamJob, reply: Reply) -> Reply:
        assert job.spec.name == "m"
        return replace(reply, status=ReplyStatus.FAILED, fault=Fault.CONTENT_FILTER)

    battle = streams.start("b", [replace(job(), inspect=refuse)])
    wait_for_end(battle)

    assert records.of(Side.A).fault is Fault.CONTENT_FILTER
    assert battle.sides[Side.A].status is ReplyStatus.FAILED


def test_an_inspector_that_breaks_fails_one_answer_and_is_logged(
    streams: Streams, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_(_job: StreamJob, _reply: Reply) -> Reply:
        raise OSError("no guard")

    battle = streams.start("b", [replace(job(Side.A), inspect=break_), job(Side.B)])
    wait_for_end(battle)

    assert [battle.sides[side].status for side in Side] == [ReplyStatus.FAILED, ReplyStatus.OK]
    assert "a reply could not be stored" in caplog.text


def test_a_coroutine_can_be_run_on_the_loop(streams: Streams) -> None:
    async def answer() -> int:
        return 42

    assert streams.run(answer()).result(30) == 42
