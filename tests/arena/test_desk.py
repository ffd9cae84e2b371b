from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from arena.breaker import Rest
from arena.desk import SIGNS, Desk, RestingModel, TrustedBy
from arena.domain import BattleKind, Fault, LeftOut, Seats, short_voter
from arena.errors import DecisionRefused, UnknownVote, UnknownVoter
from arena.store import Casting, Store, Which
from arena.sweeps import Sweeps
from leaderboard.integrity import Reason, Risk, Sign
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock
from tests.arena.store.conftest import Desk as Table

SEATS = Seats("ant", "bee")
LEANS = Reason(sign=Sign.FOR_MODEL, risk=0.9, sentence="The votes lean 130 points towards ant.")
ALARM = Reason(sign=Sign.MODEL_ALARM, risk=0.99, sentence="Voters who came lately put ant 90 points too high.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    with closing(Store.open(url, clock=clock)) as store:
        yield store


@pytest.fixture
def table(store: Store) -> Table:
    table = Table(store)
    table.enter()
    return table


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def _cast(table: Table, *, owner: str = "voter", verdict: Verdict = Verdict.A, **casting: Any) -> int:  # noqa: ANN401 - of Casting
    battle_id = table.ready(seats=SEATS, owner=owner)
    return table.store.write.cast_vote(battle_id, owner, verdict, Casting(**casting)).result(DEADLINE_SECONDS).seq


def _hold(store: Store, *seqs: int, reasons: tuple[Reason, ...] = (LEANS,)) -> None:
    hold = dict.fromkeys(seqs, Risk.of(reasons))
    store.write.settle_sweep(hold=hold, release=frozenset(), alarms={}).result(DEADLINE_SECONDS)


def _left_out(store: Store) -> dict[int, str | None]:
    return {vote.seq: vote.left_out for vote in store.read.votes()}


def test_an_empty_arena_has_an_empty_desk(desk: Desk) -> None:
    assert (desk.votes(), desk.votes(Which.ALL), desk.voters(), desk.alarms(), desk.resting()) == ((), (), (), (), ())


def test_a_held_vote_is_listed_with_everything_that_is_known_of_it(
    store: Store, table: Table, desk: Desk, clock: Clock
) -> None:
    seq = _cast(table, verdict=Verdict.B, decide_ms=800, risk=0.5, signs=("snap_vote", "one_side"))
    _hold(store, seq, reasons=(ALARM, LEANS))

    (line,) = desk.votes()

    assert (line.seq, line.models, line.verdict, line.cast_at) == (seq, SEATS, Verdict.B, clock.now)
    assert (line.voter, line.decide_ms, line.left_out) == (short_voter("voter"), 800, LeftOut.SUSPICIOUS)
    assert line.risk == pytest.approx(1 - 0.1 * 0.01)
    assert line.reasons == (
        ALARM.sentence,
        LEANS.sentence,
        "Decided faster than anybody could have looked at both answers.",
        "Nearly always the same side.",
    )
    assert line.decision is None
    assert table.battle(line.battle_id).vote is not None


def test_a_vote_that_was_held_at_the_click_says_what_the_rules_saw(table: Table, desk: Desk) -> None:
    _cast(table, held=True, risk=0.97, signs=("one_side", "a sign of a newer program"))

    (line,) = desk.votes()

    assert line.reasons == ("Nearly always the same side.", "A sign of a newer program.")
    assert line.risk == 0.97


def test_what_a_sweep_took_back_speaks_against_nobody(store: Store, table: Table, desk: Desk) -> None:
    seq = _cast(table)
    _hold(store, seq)
    store.write.settle_sweep(hold={}, release=frozenset({seq}), alarms={}).result(DEADLINE_SECONDS)

    (line,) = desk.votes(Which.ALL)

    assert (line.reasons, line.risk, line.left_out) == ((), None, None)


def test_votes_are_listed_newest_first_by_what_became_of_them(store: Store, table: Table, desk: Desk) -> None:
    held, excluded, counts = _cast(table), _cast(table), _cast(table, owner="other")
    table.vote(kind=BattleKind.AA, seats=Seats("ant", "ant"))
    _hold(store, held)
    desk.exclude([excluded], reason="a test of ours", actor="root")

    listed = {which: [line.seq for line in desk.votes(which)] for which in Which}

    assert listed == {Which.HELD: [held], Which.LEFT_OUT: [excluded, held], Which.ALL: [counts, excluded, held]}
    assert [line.seq for line in desk.votes(Which.ALL, voter=short_voter("other"))] == [counts]
    assert [line.seq for line in desk.votes(Which.ALL, limit=2)] == [counts, excluded]


def test_a_confirmed_vote_is_no_longer_to_be_looked_at_and_moves_no_rating(
    store: Store, table: Table, desk: Desk, clock: Clock
) -> None:
    seq = _cast(table)
    _hold(store, seq)
    before = table.ratings()

    desk.confirm([seq], reason=" a farm ", actor="root")

    assert (desk.votes(), table.ratings()) == ((), before)
    assert store.read.board(now=clock.now).left_out == {"confirmed": 1}
    (line,) = desk.votes(Which.LEFT_OUT)
    assert line.decision is not None
    assert (line.decision.actor, line.decision.at, line.decision.counts) == ("root", clock.now, False)
    assert (line.decision.reason, line.reasons) == ("a farm", (LEANS.sentence,))
    entry = store.read.audit()[-1]
    assert (entry.actor, entry.action, entry.target, entry.reason) == ("root", "votes confirmed", "[1]", "a farm")
    store.read.verify()


def test_only_what_is_held_can_be_confirmed(store: Store, table: Table, desk: Desk) -> None:
    held, counts = _cast(table), _cast(table)
    _hold(store, held)

    with pytest.raises(DecisionRefused, match=f"Vote {counts} is not held"):
        desk.confirm([held, counts], reason="a farm", actor="root")

    assert _left_out(store) == {held: LeftOut.SUSPICIOUS, counts: None}


def test_a_restored_vote_counts_and_no_sweep_takes_it_out_again(store: Store, table: Table, desk: Desk) -> None:
    seq = _cast(table)
    before = table.ratings()
    _hold(store, seq)

    desk.restore([seq], reason="I know them", actor="root")
    _hold(store, seq)

    assert table.ratings() == before
    assert _left_out(store) == {seq: None}
    assert store.read.audit()[-1].reason == "I know them"


def test_everybody_sees_that_a_vote_is_excluded_and_administrators_why(store: Store, table: Table, desk: Desk) -> None:
    seq = _cast(table)

    desk.exclude([seq], reason="Bob tried things out", actor="root")

    assert _left_out(store) == {seq: LeftOut.EXCLUDED}
    (line,) = desk.votes(Which.LEFT_OUT)
    assert line.decision is not None
    assert line.decision.reason == "Bob tried things out"
    assert store.read.audit()[-1].reason == "Bob tried things out"


@pytest.mark.parametrize("verb", ["confirm", "restore", "exclude"])
def test_a_decision_about_a_vote_says_why(store: Store, table: Table, desk: Desk, verb: str) -> None:
    seq = _cast(table)
    _hold(store, seq)
    entries = store.read.audit()

    with pytest.raises(DecisionRefused, match="Say why"):
        getattr(desk, verb)([seq], reason="  ", actor="root")
    with pytest.raises(UnknownVote):
        getattr(desk, verb)([seq, 99], reason="a farm", actor="root")

    assert (store.read.audit(), _left_out(store)) == (entries, {seq: LeftOut.SUSPICIOUS})


def test_voters_are_listed_with_what_they_did_the_doubtful_ones_first(
    store: Store, table: Table, desk: Desk, clock: Clock
) -> None:
    first = clock.now
    _cast(table, owner="looker")
    for _ in range(3):
        _cast(table, owner="regular")
    clock.advance(hours=1)
    doubtful = _cast(table, owner="farm", signs=("snap_vote", "for_model"))
    clock.advance(hours=1)
    table.open(owner="regular")
    _hold(store, doubtful)

    lines = desk.voters()

    assert [line.voter for line in lines] == [short_voter(name) for name in ("farm", "regular", "looker")]
    farm, regular, _ = lines
    assert (farm.votes, farm.held, farm.counted, farm.share) == (1, 1, 0, 0.0)
    assert farm.signs == {Sign.SNAP_VOTE: 1, Sign.FOR_MODEL: 1}
    assert (regular.votes, regular.held, regular.counted, regular.share) == (3, 0, 3, 0.75)
    assert (regular.signs, regular.trusted) == ({}, None)
    assert (regular.first_seen_at, regular.last_seen_at) == (first, clock.now)
    assert [line.voter for line in desk.voters(limit=1)] == [farm.voter]


def test_a_page_of_the_voters_is_a_part_of_the_list_whatever_was_decided(url: str, clock: Clock) -> None:
    with closing(Store.open(url, clock=clock)) as store:
        desk, table = Desk(store), Table(store)
        table.enter()
        table.open(owner="only asks")
        for number in range(4):
            clock.advance(minutes=1)
            for _ in range(number + 1):
                _cast(table, owner=f"voter {number}", signs=("snap_vote",))
        table.vote(owner="voter 0", kind=BattleKind.AA, seats=Seats("ant", "ant"))
        _cast(table, owner="erased")
        _hold(store, 2, 4, 5, 7)
        desk.restore([4], reason="fine", actor="root")
        desk.exclude([1, 8], reason="odd", actor="root")
        store.write.erase_voter("erased", actor="root").result(DEADLINE_SECONDS)

        lines = desk.voters()
        pages = [line for offset in range(0, 6, 2) for line in desk.voters(limit=2, offset=offset)]

        assert pages == list(lines)
        assert desk.voter_count() == len(lines)
        figures = {line.voter: (line.votes, line.held, line.counted) for line in lines}
        asked = {
            "voter 0": (1, 0, 0),
            "voter 1": (2, 1, 1),
            "voter 2": (3, 1, 2),
            "voter 3": (4, 1, 2),
            "only asks": (0, 0, 0),
        }
        assert figures == {short_voter(name): counts for name, counts in asked.items()}
        assert [line.signs.get(Sign.SNAP_VOTE, 0) for line in lines] == [4, 3, 2, 1, 0]
        assert sum(line.share for line in lines) == pytest.approx(5 / 6)  # one counts whose voter was erased


def test_a_voter_is_trusted_by_the_beginning_of_the_short_name(store: Store, table: Table, desk: Desk) -> None:
    _cast(table, owner="one")

    desk.trust(short_voter("one")[:5].upper(), reason="a colleague", actor="root")

    assert [line.trusted for line in desk.voters()] == [TrustedBy.ADMINISTRATOR]
    entry = store.read.audit()[-1]
    assert (entry.action, entry.target, entry.reason) == ("voter trusted", short_voter("one"), "a colleague")
    desk.untrust(short_voter("one"), reason="left", actor="root")
    assert [line.trusted for line in desk.voters()] == [None]
    assert store.read.audit()[-1].action == "voter distrusted"


def test_a_voter_who_logged_in_long_ago_is_trusted_for_that(
    store: Store, table: Table, desk: Desk, clock: Clock
) -> None:
    clock.now = datetime.now(UTC) - timedelta(days=31)
    store.write.note_login("one").result(DEADLINE_SECONDS)
    _cast(table, owner="one")

    assert [line.trusted for line in desk.voters()] == [TrustedBy.LOGIN]


def test_a_voter_whom_nobody_knows_or_two_is_refused(table: Table, desk: Desk) -> None:
    names = [f"voter {number}" for number in range(17)]  # two of them begin with the same of 16 digits
    for name in names:
        table.open(owner=name)
    firsts = [short_voter(name)[0] for name in names]
    twice = next(digit for digit in firsts if firsts.count(digit) > 1)

    for voter, problem in (("xyz", "no voter"), ("", "no voter"), (twice, "write more")):
        with pytest.raises(UnknownVoter, match=problem):
            desk.trust(voter, reason="a colleague", actor="root")
    with pytest.raises(DecisionRefused):
        desk.trust(short_voter(names[0]), reason="", actor="root")


def test_alarms_and_resting_models_are_on_the_desk(store: Store, table: Table, clock: Clock) -> None:
    table.enter()
    store.write.settle_sweep(hold={}, release=frozenset(), alarms={"ant": ALARM.sentence}).result(DEADLINE_SECONDS)
    until = clock.now + timedelta(minutes=1)
    rest = Rest(model="bee", fault=Fault.QUOTA, failures=3, since=clock.now, probe_at=until)

    desk = Desk(store, resting=lambda: {"bee": rest})

    assert [(alarm.model, alarm.reason) for alarm in desk.alarms()] == [("ant", ALARM.sentence)]
    why = "the account has no credit left; top it up"
    assert desk.resting() == (RestingModel(model="bee", why=why, failures=3, since=clock.now, until=until),)


def test_every_sign_has_words() -> None:
    assert set(SIGNS) == set(Sign)


def test_a_real_sweep_tells_the_desk_whom_it_holds_and_why(store: Store, table: Table, desk: Desk) -> None:
    for number in range(80):
        owner = "left" if number % 2 else f"other {number}"
        verdict = Verdict.A if owner == "left" or number % 4 else Verdict.B
        _cast(table, owner=owner, verdict=verdict)

    Sweeps(store, hold_above=0.95, seconds=300).sweep()

    lines = desk.votes()
    assert {line.voter for line in lines} == {short_voter("left")}
    assert "Chose the left answer in 40 of 40 decided votes." in lines[0].reasons
    assert lines[0].risk is not None
    assert lines[0].risk >= 0.95
    assert desk.voters()[0].signs[Sign.ONE_SIDE] == 40
