from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from arena.background import Background
from arena.board import Board, board_of
from arena.domain import FinishReason, ModelSpec, Reply, ReplyStatus, Seats, Side
from arena.errors import BeingRated, CannotRate
from arena.foreign import ForeignTally, ForeignVote
from arena.rated_board import RatedBoard, RatedBoards
from arena.selection import EVERYTHING, Selection
from arena.store import NewBattle, NewSource, SourceLoad, Store
from arena.store.engine import database_of
from leaderboard import METHODS, Verdict
from leaderboard.ratings import WITHOUT_STYLE
from tests.fault_server import wait_until

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAMES = ("ash", "beech", "cedar", "dogwood", "elm")


class Booth:
    """A store on which votes are cast day after day."""

    def __init__(self, url: str) -> None:
        self.now = START
        self.store = Store.open(url, clock=lambda: self.now)
        specs = [ModelSpec(name=name, display_name=name.title(), provider="scripted") for name in NAMES]
        self.store.write.sync_models(specs).result()
        self._battles = 0

    def vote(self, seat_a: str, seat_b: str, verdict: Verdict, *, answer: str = "fine") -> None:
        self._battles += 1
        self.now += timedelta(days=1)
        battle = f"b{self._battles}"
        fingerprints = dict.fromkeys(Side, "f")
        seats = Seats(seat_a, seat_b)
        write = self.store.write
        write.open_battle(
            NewBattle(id=battle, conversation_id=battle, seats=seats, owner="me", prompt="?", fingerprints=fingerprints)
        ).result()
        for side in Side:
            reply = Reply(
                turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=answer, finish_reason=FinishReason.STOP
            )
            write.finish_reply(battle, reply).result()
        write.cast_vote(battle, "me", verdict).result()

    def fail(self, seat_a: str, seat_b: str) -> None:
        """The left side fails, and nobody votes."""
        self._battles += 1
        battle, fingerprints = f"b{self._battles}", dict.fromkeys(Side, "f")
        seats = Seats(seat_a, seat_b)
        self.store.write.open_battle(
            NewBattle(id=battle, conversation_id=battle, seats=seats, owner="me", prompt="?", fingerprints=fingerprints)
        ).result()
        for side, status in zip(Side, (ReplyStatus.FAILED, ReplyStatus.OK), strict=True):
            self.store.write.finish_reply(battle, Reply(turn=1, side=side, attempt=1, status=status)).result()

    def live(self) -> Board:
        return board_of(self.store.read.board(now=self.now))

    def past(self, until: date) -> Board:
        return board_of(self.store.read.board_at_end_of(until))


def there(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except BeingRated:
        return False
    return True


@pytest.fixture
def booth(url: str) -> Iterator[Booth]:
    opened = Booth(url)
    for seat_a, seat_b, verdict in [
        ("ash", "beech", Verdict.A),
        ("beech", "cedar", Verdict.A),
        ("ash", "cedar", Verdict.TIE),
        ("cedar", "ash", Verdict.B),
    ]:
        opened.vote(seat_a, seat_b, verdict)
    yield opened
    opened.store.close()


@pytest.fixture
def boards(booth: Booth) -> RatedBoards:
    return RatedBoards(booth.store.read)


def test_the_default_board_is_ordered_by_elo_with_a_score_and_an_interval_beside(
    booth: Booth, boards: RatedBoards
) -> None:
    live = booth.live()

    board = boards.rated(live, method="bradley_terry", selection=EVERYTHING, order_by_elo=True)

    elo = {standing.model: standing.elo for standing in live.standings}
    assert [line.model for line in board.standings] == ["ash", "beech", "cedar"]
    assert [line.elo for line in board.standings] == [elo[line.model] for line in board.standings]
    assert all(line.plus is not None and line.plus > 0 for line in board.standings)
    assert (board.votes, board.version) == (4, live.version)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_that_has_what_it_needs_rates_the_arena(method: str, booth: Booth, boards: RatedBoards) -> None:
    board = boards.rated(booth.live(), method=method, selection=EVERYTHING, order_by_elo=False)

    assert board.standings[0].model == "ash"
    assert {line.model for line in board.standings} == {"ash", "beech", "cedar"}


def test_elo_by_selection_of_everything_is_the_live_elo_to_the_last_bit(booth: Booth, boards: RatedBoards) -> None:
    live = booth.live()

    board = boards.rated(live, method="elo", selection=EVERYTHING, order_by_elo=False)

    elo = {standing.model: standing.elo for standing in live.standings}
    assert {line.model: line.score for line in board.standings} == {name: elo[name] for name in NAMES[:3]}


def test_a_selection_holds_only_its_votes(booth: Booth, boards: RatedBoards) -> None:
    booth.vote("ash", "elm", Verdict.B, answer="```python\nprint(1)\n```")
    live = booth.live()

    code = boards.rated(live, method="elo", selection=Selection(code=True), order_by_elo=False)
    prose = boards.rated(live, method="bradley_terry", selection=Selection(code=False), order_by_elo=False)
    decisive = boards.rated(live, method="elo", selection=Selection(without_ties=True), order_by_elo=False)

    assert [line.model for line in code.standings] == ["elm", "ash"]
    assert (code.votes, prose.votes, decisive.votes) == (1, 4, 4)


def test_days_bound_a_selection_on_both_sides(booth: Booth, boards: RatedBoards) -> None:
    second, third = (START + timedelta(days=n) for n in (2, 3))
    selection = Selection(since=second.date(), until=third.date())

    board = boards.rated(booth.live(), method="elo", selection=selection, order_by_elo=False)

    assert board.votes == 2
    assert [day for day, _ in booth.store.read.votes_per_day(selection)] == [second.date(), third.date()]


@pytest.mark.parametrize("method", ["bradley_terry", "elo"])
def test_a_past_board_shows_the_elo_of_that_day(booth: Booth, boards: RatedBoards, method: str) -> None:
    second = (START + timedelta(days=2)).date()
    selection = Selection(until=second)

    board = boards.rated(booth.past(second), method=method, selection=selection, order_by_elo=True)

    # Ash beat beech, then beech (984) beat cedar (1000).
    change = 32 * (1 - 1 / (1 + 10 ** (16 / 400)))
    assert {line.model: line.elo for line in board.standings} == pytest.approx(
        {"ash": 1016, "beech": 984 + change, "cedar": 1000 - change}
    )
    assert (board.votes, board.last_vote_day, board.last_vote_at) == (2, second, START + timedelta(days=2))
    if method == "elo":
        assert {line.model: line.score for line in board.standings} == {
            line.model: line.elo for line in board.standings
        }


def test_elo_of_a_category_up_to_a_day_is_folded_from_its_votes(booth: Booth, boards: RatedBoards) -> None:
    booth.vote("ash", "elm", Verdict.B)
    second = (START + timedelta(days=2)).date()
    selection = Selection(until=second, without_ties=True)

    board = boards.rated(booth.past(second), method="elo", selection=selection, order_by_elo=False)

    assert board.votes == 2
    assert {line.model: line.score for line in board.standings} == pytest.approx(
        {line.model: line.elo for line in board.standings}
    )


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (EVERYTHING, None),
        (Selection(until=date(2026, 11, 3)), None),
        (Selection(since=date(2026, 11, 3)), "The Elo column follows every vote that counts, whatever"),
        (
            Selection(code=False, until=date(2026, 11, 3)),
            "The Elo column follows every vote that counts up to the end of 2026-11-03, whatever",
        ),
    ],
)
def test_filters_that_do_not_move_the_elo_column_say_so(
    selection: Selection, sentence: str | None, booth: Booth, boards: RatedBoards
) -> None:
    live = booth.past(selection.until) if selection.until else booth.live()

    board = boards.rated(live, method="bradley_terry", selection=selection, order_by_elo=True)

    said = [remark for remark in board.remarks if "Elo column" in remark]
    assert len(said) == (sentence is not None)
    assert sentence is None or said[0].startswith(sentence)
    elo = {standing.model: standing.elo for standing in live.standings}
    assert all(line.elo == elo[line.model] for line in board.standings)


def test_votes_that_are_left_out_are_counted_by_reason_and_can_be_switched_in(
    booth: Booth, boards: RatedBoards
) -> None:
    booth.store.write.exclude_votes([1], reason="leaked", actor="test").result()
    live = booth.live()

    without = boards.rated(live, method="bradley_terry", selection=EVERYTHING, order_by_elo=False)
    with_them = boards.rated(live, method="elo", selection=Selection(with_left_out=True), order_by_elo=False)

    assert (without.votes, without.left_out) == (3, {"leaked": 1})
    assert (with_them.votes, with_them.left_out) == (4, {})


def test_groups_that_never_met_are_named(booth: Booth, boards: RatedBoards) -> None:
    booth.vote("dogwood", "elm", Verdict.A)

    board = boards.rated(booth.live(), method="bradley_terry", selection=EVERYTHING, order_by_elo=False)

    assert "never met" in board.remarks[0]
    assert "Dogwood, Elm" in board.remarks[0]


def test_models_without_a_vote_are_named_but_not_rated(booth: Booth, boards: RatedBoards) -> None:
    board = boards.rated(booth.live(), method="bradley_terry", selection=EVERYTHING, order_by_elo=False)

    assert board.remarks == ("Without a vote here: Dogwood, Elm.",)


def test_the_order_free_board_says_who_swaps_places(booth: Booth, boards: RatedBoards) -> None:
    booth.vote("beech", "ash", Verdict.A)

    board = boards.rated(booth.live(), method="elo_order_free", selection=EVERYTHING, order_by_elo=False)

    assert any("swap places in" in remark for remark in board.remarks)


def test_a_board_is_made_once_per_version(booth: Booth, boards: RatedBoards) -> None:
    first = boards.rated(booth.live(), method="bradley_terry", selection=EVERYTHING, order_by_elo=True)
    again = boards.rated(booth.live(), method="bradley_terry", selection=EVERYTHING, order_by_elo=True)
    booth.vote("ash", "beech", Verdict.A)
    later = boards.rated(booth.live(), method="bradley_terry", selection=EVERYTHING, order_by_elo=True)

    assert again is first
    assert later.votes == first.votes + 1


def test_a_rating_that_takes_long_is_shown_as_of_its_last_vote_until_the_new_one_is_there(booth: Booth) -> None:
    background = Background(patience_seconds=0, rest=0)
    boards = RatedBoards(booth.store.read, background=background)

    def rate() -> RatedBoard:
        return boards.rated(booth.live(), method="elo_order_free", selection=EVERYTHING, order_by_elo=False)

    with pytest.raises(BeingRated, match="Elo, order-free is being computed"):
        rate()
    wait_until(lambda: there(rate))
    first = rate()
    booth.vote("ash", "elm", Verdict.B)
    meanwhile = rate()
    wait_until(lambda: rate().version == booth.live().version)
    then = rate()

    assert (first.as_of_vote, meanwhile.as_of_vote, then.as_of_vote) == (4, 4, 5)
    assert (meanwhile.version, meanwhile.votes) == (first.version, 4)
    assert {line.model for line in then.standings} - {line.model for line in first.standings} == {"elm"}
    background.close()


def test_an_older_board_knows_the_models_that_came_since(booth: Booth) -> None:
    background = Background(patience_seconds=0, rest=1e9)
    boards = RatedBoards(booth.store.read, background=background)
    boards.rated(booth.live(), method="davidson", selection=EVERYTHING, order_by_elo=True, wait=True)
    newcomer = ModelSpec(name="fir", display_name="Fir", provider="scripted")
    booth.store.write.sync_models([newcomer]).result()

    board = boards.rated(booth.live(), method="davidson", selection=EVERYTHING, order_by_elo=True)

    assert board.version < booth.live().version
    assert board.specs["fir"].display_name == "Fir"
    background.close()


def test_whoever_waits_gets_a_long_rating_at_once(booth: Booth) -> None:
    background = Background(patience_seconds=0)
    boards = RatedBoards(booth.store.read, background=background)

    board = boards.rated(booth.live(), method="elo_order_free", selection=EVERYTHING, order_by_elo=False, wait=True)

    assert board.as_of_vote == 4


def test_a_refusal_in_the_background_is_the_sentence_it_is_elsewhere(booth: Booth, url: str) -> None:
    _forget_styles(url, "TRUE")
    background = Background(patience_seconds=0)
    boards = RatedBoards(booth.store.read, background=background)

    def refused() -> bool:
        with pytest.raises((BeingRated, CannotRate)) as error:
            boards.rated(booth.live(), method="style_control", selection=EVERYTHING, order_by_elo=False)
        return "how the answers were written" in str(error.value)

    wait_until(refused)
    background.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("votes", [10_000, 2_000_000])
def test_only_a_large_arena_keeps_a_rating_waiting(method: str, votes: int, booth: Booth, boards: RatedBoards) -> None:
    live = replace(booth.live(), votes=votes)

    seconds = boards._seconds(live, method, EVERYTHING)

    assert (seconds > 0.3) == (votes > 10_000)


@pytest.mark.parametrize("method", ["bradley_terry", "davidson"])
def test_a_history_ends_at_the_scores_of_the_board_and_passes_through_those_of_past_days(
    method: str, booth: Booth, boards: RatedBoards
) -> None:
    booth.vote("ash", "elm", Verdict.B)
    second = (START + timedelta(days=2)).date()

    history = boards.score_history(booth.live(), method=method, selection=EVERYTHING)

    boards_then = {
        day: boards.rated(booth.past(day), method=method, selection=Selection(until=day), order_by_elo=False)
        for day in (second, (START + timedelta(days=5)).date())
    }
    for day, board in boards_then.items():
        drawn = {each.model: each for each in history.scores if each.day == day}
        assert drawn.keys() == {line.model for line in board.standings}
        for line in board.standings:
            each = drawn[line.model]
            assert each.score == pytest.approx(line.score, abs=1e-6)
            assert (each.upper - each.score, each.score - each.lower) == pytest.approx((line.plus, line.minus))
    assert len({each.day for each in history.scores}) == 5


def test_a_history_is_of_its_selection_and_of_few_enough_days(booth: Booth, boards: RatedBoards) -> None:
    for _ in range(70):
        booth.vote("ash", "beech", Verdict.A)
    days = [(START + timedelta(days=n)).date() for n in (3, 74)]
    selection = Selection(without_ties=True, since=days[0])

    history = boards.score_history(booth.live(), method="bradley_terry", selection=selection)

    drawn = sorted({each.day for each in history.scores})
    assert (drawn[0], drawn[-1], len(drawn)) == (days[0] + timedelta(days=1), days[1], 60)
    assert {each.model for each in history.scores if each.day == drawn[0]} == {"cedar", "ash"}


@pytest.mark.parametrize("method", ["elo", "elo_order_free", "glicko"])
def test_a_method_without_a_history_names_those_that_have_one(method: str, booth: Booth, boards: RatedBoards) -> None:
    with pytest.raises(CannotRate, match="bradley_terry, davidson"):
        boards.score_history(booth.live(), method=method, selection=EVERYTHING)


@pytest.mark.parametrize(
    ("method", "selection", "sentence"),
    [
        ("elo", Selection(sources=frozenset({"a file"})), "in their order"),
        ("glicko", EVERYTHING, "no rating method 'glicko'"),
    ],
)
def test_what_cannot_be_rated_is_refused_with_the_reason(
    method: str, selection: Selection, sentence: str, booth: Booth, boards: RatedBoards
) -> None:
    with pytest.raises(CannotRate, match=sentence):
        boards.rated(booth.live(), method=method, selection=selection, order_by_elo=False)


def test_style_control_says_how_many_votes_it_has_no_figures_for(url: str, booth: Booth, boards: RatedBoards) -> None:
    _forget_styles(url, "battle IN ('b1', 'b3')")

    board = boards.rated(booth.live(), method="style_control", selection=EVERYTHING, order_by_elo=True)

    assert (board.votes, dict(board.left_out)) == (2, {WITHOUT_STYLE: 2})
    assert {line.model for line in board.standings} == {"ash", "beech", "cedar"}


def test_style_control_of_answers_that_nobody_counted_is_refused(url: str, booth: Booth, boards: RatedBoards) -> None:
    _forget_styles(url, "side = 'a'")

    with pytest.raises(CannotRate, match="how the answers were written, and nobody counted it"):
        boards.rated(booth.live(), method="style_control", selection=EVERYTHING, order_by_elo=False)


def _forget_styles(url: str, which: str) -> None:
    """As in a database from before answers were counted."""
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        nothing = "length = NULL, headings = NULL, lists = NULL, bold = NULL"
        connection.exec_driver_sql(f"UPDATE reply SET {nothing} WHERE {which}")
    engine.dispose()


def test_a_selection_without_votes_is_an_empty_board(booth: Booth, boards: RatedBoards) -> None:
    board = boards.rated(booth.live(), method="bradley_terry", selection=Selection(language="fr"), order_by_elo=True)

    assert (board.standings, board.votes, board.remarks) == ((), 0, ())


def test_a_forecast_has_an_interval_a_split_and_the_elo_figure_beside_it(booth: Booth, boards: RatedBoards) -> None:
    forecast = boards.forecast(booth.live(), "ash", "cedar", method="bradley_terry", selection=EVERYTHING)

    assert forecast.chance is not None
    assert forecast.chance.lower < forecast.chance.probability < forecast.chance.upper
    assert forecast.chance.probability > 0.5
    assert forecast.split is not None
    assert sum(forecast.split) == pytest.approx(1.0)
    assert forecast.elo is not None
    assert (forecast.record.wins_a, forecast.record.ties) == (1, 1)


def test_a_pair_that_never_met_is_told_why(booth: Booth, boards: RatedBoards) -> None:
    booth.vote("dogwood", "elm", Verdict.A)

    forecast = boards.forecast(booth.live(), "ash", "elm", method="bradley_terry", selection=EVERYTHING)

    assert forecast.chance is None
    assert forecast.reason == "Ash and Elm have never met, not even through others."


@pytest.mark.parametrize(
    ("model_b", "method", "sentence"),
    [("elm", "bradley_terry", "Elm has no vote"), ("cedar", "davidson", "choose Bradley–Terry")],
)
def test_what_cannot_be_forecast_says_why(
    model_b: str, method: str, sentence: str, booth: Booth, boards: RatedBoards
) -> None:
    with pytest.raises(CannotRate, match=sentence):
        boards.forecast(booth.live(), "ash", model_b, method=method, selection=EVERYTHING)


def test_facets_offer_what_the_votes_have(booth: Booth) -> None:
    facets = booth.store.read.facets()

    assert (facets.sources, facets.languages) == (("arena",), ())
    assert facets.first_day == (START + timedelta(days=1)).date()
    assert facets.last_day == (START + timedelta(days=4)).date()


def test_an_imported_file_is_a_board_of_its_own_and_moves_no_elo(booth: Booth, boards: RatedBoards) -> None:
    before = booth.live()
    new = NewSource(name="file", format="plain", sha256="0" * 64)
    with SourceLoad(booth.store.write, new) as loading:
        loading.add([ForeignVote(model_a="x", model_b="y", verdict=Verdict.A, line=line) for line in range(1, 4)])
        loading.publish(actor="test")
    live = booth.live()
    file = Selection(sources=frozenset({"file"}))

    score = boards.rated(live, method="bradley_terry", selection=file, order_by_elo=True)
    elo = boards.rated(live, method="elo", selection=file, order_by_elo=False)

    assert [(line.model, line.elo) for line in score.standings] == [("x", None), ("y", None)]
    assert score.specs["x"].display_name == "x"
    assert elo.standings[0].score > 1000.0
    assert live.standings == before.standings
    assert booth.store.read.facets().sources == ("arena", "file")


def test_counts_have_no_order_whatever_is_selected_of_them(booth: Booth, boards: RatedBoards) -> None:
    new = NewSource(name="file", format="plain", sha256="0" * 64, tallies_only=True)
    with SourceLoad(booth.store.write, new) as loading:
        loading.add_tallies([ForeignTally(1, "x", "y", Verdict.A, 1)])
        loading.publish(actor="test")
    filtered = Selection(sources=frozenset({"file"}), code=False)

    with pytest.raises(CannotRate, match="only their counts"):
        boards.rated(booth.live(), method="elo", selection=filtered, order_by_elo=False)


def test_votes_without_a_time_lie_in_no_range_of_days_and_are_counted(booth: Booth, boards: RatedBoards) -> None:
    at = datetime(2024, 5, 1, tzinfo=UTC)
    with SourceLoad(booth.store.write, NewSource(name="file", format="plain", sha256="0" * 64)) as loading:
        times = [at, at + timedelta(days=9), None]
        loading.add(
            [
                ForeignVote(model_a="x", model_b="y", verdict=Verdict.A, cast_at=time, line=line)
                for line, time in enumerate(times, start=1)
            ]
        )
        loading.publish(actor="test")
    live, file = booth.live(), frozenset({"file"})

    everything, until, since = (
        boards.rated(live, method="bradley_terry", selection=selection, order_by_elo=True)
        for selection in (
            Selection(sources=file),
            Selection(sources=file, until=at.date()),
            Selection(sources=file, since=at.date()),
        )
    )

    assert [board.votes for board in (everything, until, since)] == [3, 1, 2]
    assert [board.last_vote_day for board in (everything, until)] == [date(2024, 5, 10), date(2024, 5, 1)]
    assert everything.last_vote_at is None
    assert not any("without a time" in remark for remark in everything.remarks)
    for board in (until, since):
        assert "Votes without a time lie in no range of days: 1 is not counted here." in board.remarks


LOSES = Selection(failed_loses=True)


def test_failed_answers_are_rated_beside_the_votes_and_not_among_them(booth: Booth, boards: RatedBoards) -> None:
    for _ in range(5):
        booth.fail("ash", "dogwood")
    live = booth.live()

    board = boards.rated(live, method="bradley_terry", selection=LOSES, order_by_elo=False)
    history = boards.score_history(live, method="davidson", selection=LOSES)

    assert (board.votes, board.failed_lost, board.counts.votes) == (4, 5, 9)
    assert board.standings[0].model == "dogwood"
    assert board.remarks[1].startswith("A failed answer loses here")
    assert booth.live().standings == live.standings
    assert {score.model for score in history.scores} == {"ash", "beech", "cedar", "dogwood"}
    chance = boards.forecast(live, "dogwood", "ash", method="bradley_terry", selection=LOSES).chance
    assert chance is not None
    assert chance.probability > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_methods_that_follow_votes_one_by_one_say_why_no_failure_can_be_lost(
    method: str, booth: Booth, boards: RatedBoards
) -> None:
    if METHODS[method].needs_order:
        with pytest.raises(CannotRate, match="has no place among them"):
            boards.rated(booth.live(), method=method, selection=LOSES, order_by_elo=False)
    else:
        boards.rated(booth.live(), method=method, selection=LOSES, order_by_elo=False)


def test_a_failure_reaches_the_board_without_another_vote(booth: Booth) -> None:
    boards = RatedBoards(booth.store.read)
    plain = boards.rated(booth.live(), method="bradley_terry", selection=LOSES, order_by_elo=False)
    booth.fail("ash", "beech")

    later = RatedBoards(booth.store.read, background=boards._background).rated(
        booth.live(), method="bradley_terry", selection=LOSES, order_by_elo=False
    )

    assert (plain.version, plain.failed_lost) == (later.version, 0)
    assert later.failed_lost == 1
