from dataclasses import replace

import pytest

from arena.domain import (
    BattleKind,
    BattleState,
    Fault,
    FinishReason,
    Reply,
    ReplyFigures,
    ReplyStatus,
    Seats,
    Side,
)
from arena.errors import AlreadyVoted, NotRetryable, NotVotable, StoreError, UnknownBattle, UnknownModel
from arena.store import NewBattle, Store
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk

PRINTS = dict.fromkeys(Side, "print")


NEW = NewBattle(
    id="new",
    conversation_id="talk",
    seats=Seats("ant", "bee"),
    owner="voter",
    prompt="Why?",
    fingerprints=PRINTS,
)


def test_a_new_battle_streams_on_both_sides(desk: Desk, clock: Clock) -> None:
    battle_id = desk.open(seats=Seats("ant", "bee"), prompt="Why is the sky blue?")

    battle = desk.battle(battle_id)
    assert battle.state is BattleState.STREAMING
    assert battle.seats == Seats("ant", "bee")
    assert battle.kind is BattleKind.RANKED
    assert battle.created_at == clock.now
    assert [turn.prompt for turn in battle.turns] == ["Why is the sky blue?"]
    assert {side: reply.status for side, reply in battle.turns[0].replies.items()} == dict.fromkeys(
        Side, ReplyStatus.STREAMING
    )
    assert battle.turns[0].replies[Side.B].fingerprint == "print b"


def test_there_is_no_battle_of_an_unknown_id(store: Store) -> None:
    assert store.read.battle("nothing") is None


def test_a_finished_reply_comes_back_with_everything_it_took(desk: Desk, store: Store, clock: Clock) -> None:
    battle_id = desk.open()
    reply = Reply(
        turn=1,
        side=Side.A,
        attempt=1,
        status=ReplyStatus.FAILED,
        text="Half an ans",
        fault=Fault.CUT_OFF,
        finish_reason=FinishReason.LENGTH,
        figures=ReplyFigures(tokens_in=5, tokens_out=7, first_token_ms=120, duration_ms=900, cost_usd=0.25),
        model_seen="ant-2026",
        fingerprint="print a",
        started_at=clock.now,
    )

    store.write.finish_reply(battle_id, reply).result(30)

    assert desk.battle(battle_id).turns[0].replies[Side.A] == reply


@pytest.mark.parametrize(
    ("a", "b", "state"),
    [
        (ReplyStatus.OK, ReplyStatus.OK, BattleState.READY),
        (ReplyStatus.OK, ReplyStatus.FAILED, BattleState.STUCK),
        (ReplyStatus.STOPPED, ReplyStatus.OK, BattleState.STUCK),
        (ReplyStatus.INTERRUPTED, ReplyStatus.FAILED, BattleState.STUCK),
    ],
)
def test_a_battle_is_ready_only_when_both_answers_are_fine(
    desk: Desk, a: ReplyStatus, b: ReplyStatus, state: BattleState
) -> None:
    battle_id = desk.open()

    first, second = desk.finish(battle_id, Side.A, a), desk.finish(battle_id, Side.B, b)

    assert (first, second) == (BattleState.STREAMING, state)
    assert desk.battle(battle_id).state is state


def test_an_attempt_ends_only_once(desk: Desk) -> None:
    battle_id = desk.open()
    desk.finish(battle_id, Side.A, ReplyStatus.STOPPED, text="first")

    state = desk.finish(battle_id, Side.A, ReplyStatus.OK, text="second")

    assert state is BattleState.STREAMING
    assert desk.battle(battle_id).turns[0].replies[Side.A].text == "first"


def test_a_reply_of_an_unknown_battle_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownBattle):
        desk.finish("nothing", Side.A)


def test_a_reply_cannot_be_finished_as_streaming(desk: Desk) -> None:
    battle_id = desk.open()

    with pytest.raises(StoreError, match="still streaming"):
        desk.finish(battle_id, Side.A, ReplyStatus.STREAMING)


def test_a_retry_adds_an_attempt_to_the_failed_side_only(desk: Desk, store: Store) -> None:
    battle_id = desk.open()
    desk.finish(battle_id, Side.A, text="fine")
    desk.finish(battle_id, Side.B, ReplyStatus.FAILED)

    attempt = store.write.retry_reply(battle_id, "voter", Side.B, fingerprint="new print").result(30)

    battle = desk.battle(battle_id)
    assert attempt == 2
    assert battle.state is BattleState.STREAMING
    assert battle.turns[0].replies[Side.A].text == "fine"
    assert battle.turns[0].replies[Side.B].attempt == 2
    assert battle.turns[0].replies[Side.B].fingerprint == "new print"
    assert desk.finish(battle_id, Side.B, attempt=2) is BattleState.READY


def test_a_late_end_of_an_old_attempt_leaves_the_new_one_alone(desk: Desk, store: Store, clock: Clock) -> None:
    battle_id = desk.open()
    desk.finish(battle_id, Side.A)
    clock.advance(seconds=60)
    store.write.interrupt_expired().result(30)
    store.write.retry_reply(battle_id, "voter", Side.B, fingerprint="").result(30)

    desk.finish(battle_id, Side.B, attempt=1, text="too late")

    reply = desk.battle(battle_id).turns[0].replies[Side.B]
    assert (reply.attempt, reply.status, reply.text) == (2, ReplyStatus.STREAMING, "")


def test_only_what_failed_can_be_retried(desk: Desk, store: Store) -> None:
    streaming = desk.open()
    ready = desk.ready()
    voted = desk.vote().battle_id

    errors = [
        store.write.retry_reply(battle_id, owner, Side.A, fingerprint="").exception(30)
        for battle_id, owner in [(streaming, "voter"), (ready, "voter"), (ready, "foe"), (voted, "voter")]
    ]

    assert [type(error) for error in errors] == [NotRetryable, NotRetryable, UnknownBattle, AlreadyVoted]


def test_a_ready_battle_goes_on_with_another_turn(desk: Desk, store: Store) -> None:
    battle_id = desk.ready(prompt="Why?")

    ordinal = store.write.add_turn(battle_id, "voter", "And then?", fingerprints=PRINTS).result(30)

    battle = desk.battle(battle_id)
    assert ordinal == 2
    assert battle.state is BattleState.STREAMING
    assert [turn.prompt for turn in battle.turns] == ["Why?", "And then?"]
    assert battle.turns[1].replies[Side.A].status is ReplyStatus.STREAMING
    assert [message.text for message in battle.history(Side.A, before_turn=2)] == ["Why?", "Because.", "And then?"]


def test_only_a_ready_battle_of_ones_own_goes_on(desk: Desk, store: Store) -> None:
    streaming, ready, voted = desk.open(), desk.ready(), desk.vote().battle_id

    errors = [
        store.write.add_turn(battle_id, owner, "More", fingerprints=PRINTS).exception(30)
        for battle_id, owner in [(streaming, "voter"), (ready, "foe"), (voted, "voter"), ("nothing", "voter")]
    ]

    assert [type(error) for error in errors] == [NotVotable, UnknownBattle, AlreadyVoted, UnknownBattle]
    assert len(desk.battle(ready).turns) == 1


def test_a_conversation_holds_several_battles_of_its_owner_only(desk: Desk, store: Store) -> None:
    store.write.open_battle(replace(NEW, id="one", ordinal=1)).result(30)

    store.write.open_battle(replace(NEW, id="two", ordinal=2)).result(30)
    foreign = store.write.open_battle(replace(NEW, id="three", ordinal=3, owner="foe")).exception(30)

    assert desk.battle("two").conversation_id == desk.battle("one").conversation_id
    assert isinstance(foreign, UnknownBattle)


def test_a_battle_that_cannot_be_is_refused(desk: Desk, store: Store) -> None:
    desk.open()

    unknown = store.write.open_battle(replace(NEW, seats=Seats("ant", "unicorn"))).exception(30)
    double = store.write.open_battle(replace(NEW, id="battle-1")).exception(30)
    alone = store.write.open_battle(replace(NEW, seats=Seats("ant", "ant"))).exception(30)

    assert isinstance(unknown, UnknownModel)
    assert "'unicorn'" in str(unknown)
    assert type(double) is StoreError
    assert type(alone) is StoreError
    assert store.read.battle("new") is None


def test_an_expired_lease_interrupts_only_its_own_replies(desk: Desk, store: Store, clock: Clock) -> None:
    watched, forgotten = desk.open(), desk.open()
    desk.finish(forgotten, Side.A)
    clock.advance(seconds=9)
    store.write.renew_leases([watched]).result(30)
    clock.advance(seconds=2)

    interrupted = store.write.interrupt_expired().result(30)

    assert interrupted == 1
    assert desk.battle(watched).state is BattleState.STREAMING
    battle = desk.battle(forgotten)
    assert battle.state is BattleState.STUCK
    assert battle.turns[0].replies[Side.A].status is ReplyStatus.OK
    assert battle.turns[0].replies[Side.B].status is ReplyStatus.INTERRUPTED


def test_a_renewal_wakes_nothing_that_has_ended(desk: Desk, store: Store, clock: Clock) -> None:
    battle_id = desk.open()
    clock.advance(seconds=60)
    store.write.interrupt_expired().result(30)

    store.write.renew_leases([battle_id]).result(30)

    assert desk.battle(battle_id).state is BattleState.STUCK
    assert store.write.interrupt_expired().result(30) == 0


@pytest.mark.parametrize(
    "text", ["NUL \x00 here", "lone \ud83d surrogate", "bell \x07 \u202e 💚 'quote' \"\n;--", "", "x" * 300_000]
)
def test_no_text_breaks_the_store(desk: Desk, text: str) -> None:
    battle_id = desk.open(prompt=text)

    desk.finish(battle_id, Side.A, text=text)

    stored = desk.battle(battle_id).turns[0]
    expected = text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
    assert (stored.prompt, stored.replies[Side.A].text) == (expected, expected)


def test_the_vote_comes_back_with_its_battle(desk: Desk) -> None:
    vote = desk.vote(Verdict.TIE)

    battle = desk.battle(vote.battle_id)

    assert battle.state is BattleState.VOTED
    assert battle.vote == vote
