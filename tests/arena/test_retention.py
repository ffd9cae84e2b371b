from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fault_server import wait_until

from arena.domain import BattleState, Side
from arena.errors import NotVotable
from arena.retention import CHORE, Retention
from arena.selection import EVERYTHING
from arena.store import Store
from arena.transfer import export_file
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk

MARKER = "What Cinderella asked."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(url: str, clock: Clock) -> Iterator[Desk]:
    with closing(Store.open(url, clock=clock)) as store:
        desk = Desk(store)
        desk.enter()
        yield desk


def _keep(desk: Desk, clock: Clock, *, days: int | None) -> int:
    return Retention(desk.store, days=days, clock=clock).remove_old()


def test_texts_are_removed_when_they_are_too_old_and_not_before(desk: Desk, clock: Clock) -> None:
    old = desk.ready(prompt=MARKER)
    clock.advance(days=1)
    young = desk.ready(prompt=MARKER)
    clock.advance(days=29, hours=12)

    assert _keep(desk, clock, days=30) == 1

    gone, kept = desk.battle(old), desk.battle(young)
    assert [gone.turns[0].prompt, *(reply.text for reply in gone.turns[0].replies.values())] == [""] * 3
    assert gone.texts_removed_at == clock.now
    assert (kept.turns[0].prompt, kept.texts_removed_at) == (MARKER, None)


def test_texts_are_kept_for_ever_when_nobody_says_otherwise(desk: Desk, clock: Clock) -> None:
    battle_id = desk.ready(prompt=MARKER)
    clock.advance(days=10_000)

    assert _keep(desk, clock, days=None) == 0
    assert desk.battle(battle_id).turns[0].prompt == MARKER


def test_everything_that_was_counted_stays(desk: Desk, clock: Clock) -> None:
    desk.votes(120)
    styles = desk.store.read.selected_votes(EVERYTHING, with_styles=True).styles
    ratings, report = desk.ratings(), desk.store.read.verify()
    clock.advance(days=2)

    assert _keep(desk, clock, days=1) == 120

    kept = desk.store.read.selected_votes(EVERYTHING, with_styles=True).styles
    assert styles is not None
    assert kept is not None
    assert [getattr(kept, name).tolist() for name in kept.__slots__] == [
        getattr(styles, name).tolist() for name in styles.__slots__
    ]
    assert (desk.ratings(), desk.store.read.verify()) == (ratings, report)


def test_a_battle_that_somebody_goes_on_with_is_as_old_as_its_last_prompt(desk: Desk, clock: Clock) -> None:
    battle_id = desk.ready()
    clock.advance(days=5)
    prints = dict.fromkeys(Side, "")
    desk.store.write.add_turn(battle_id, "voter", "And?", fingerprints=prints).result(DEADLINE_SECONDS)
    for side in Side:
        desk.finish(battle_id, side, turn=2)
    clock.advance(days=1)

    assert _keep(desk, clock, days=2) == 0


def test_a_battle_that_is_being_written_keeps_its_texts(desk: Desk, clock: Clock) -> None:
    battle_id = desk.open(prompt=MARKER)
    clock.advance(days=5)

    removed = _keep(desk, clock, days=2)
    desk.store.write.remove_texts([battle_id]).result(DEADLINE_SECONDS)  # found a moment before

    assert removed == 0
    assert desk.battle(battle_id).turns[0].prompt == MARKER


def test_what_nobody_can_read_any_more_cannot_be_voted_on_or_continued(desk: Desk, clock: Clock) -> None:
    ready, stuck = desk.ready(), desk.open()
    clock.advance(days=5)
    desk.store.write.interrupt_expired().result(DEADLINE_SECONDS)
    _keep(desk, clock, days=2)
    write = desk.store.write
    prints = dict.fromkeys(Side, "")

    for attempt in (
        write.cast_vote(ready, "voter", Verdict.A),
        write.add_turn(ready, "voter", "And?", fingerprints=prints),
        write.retry_reply(stuck, "voter", Side.A, fingerprint=""),
    ):
        with pytest.raises(NotVotable, match="because of their age"):
            attempt.result(DEADLINE_SECONDS)
    assert desk.battle(ready).state is BattleState.READY


def test_an_export_has_the_votes_without_their_texts(desk: Desk, clock: Clock, tmp_path: Path) -> None:
    desk.vote()
    clock.advance(days=5)
    _keep(desk, clock, days=2)
    desk.vote()

    votes = export_file(desk.store, tmp_path / "votes.json", format_name="lmarena_140k")

    assert votes == 2
    assert desk.store.read.texts.votes_without() == 1


def test_the_chore_removes_at_once_and_ends_when_it_is_told(desk: Desk, clock: Clock) -> None:
    battle_id = desk.ready(prompt=MARKER)
    clock.advance(days=5)
    retention = Retention(desk.store, days=2, clock=clock)

    retention.start()
    wait_until(lambda: desk.battle(battle_id).texts_removed_at is not None)
    retention.close()
    retention.close()


def test_one_process_does_it_for_all(desk: Desk, clock: Clock) -> None:
    battle_id = desk.ready(prompt=MARKER)
    clock.advance(days=5)
    desk.store.write.take_lease(CHORE, holder="another", seconds=60).result(DEADLINE_SECONDS)
    retention = Retention(desk.store, days=2, clock=clock)

    retention.start()
    retention.close()

    assert desk.battle(battle_id).texts_removed_at is None


def test_a_closed_database_ends_no_thread(desk: Desk, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    retention = Retention(desk.store, days=2, clock=clock)
    desk.store.close()

    retention.start()
    wait_until(lambda: "the next hour tries again" in caplog.text)
    retention.close()
