"""The leaderboard as one value, live or of a past day's end, made from the stored rows and kept until it moves."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from threading import Lock

from arena.domain import ModelSpec
from arena.errors import UnknownModel
from arena.store import BoardRows, EloPoint, Queries
from leaderboard import EloSettings, PairCounts, Prediction, Standing, predict, standings

KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The board of one version, live or as it stood at the end of a past day.

    `specs` describes every model, also retired ones and those that came later; `counts` holds the counted battles;
    `votes` is their number; `left_out` says, by reason, how many stored votes do not count; `last_vote_at` is None
    before the first. Of a past day all of it is of that day, the change over a day in `standings` is that day's.
    """

    version: int
    standings: tuple[Standing, ...]
    specs: Mapping[str, ModelSpec]
    counts: PairCounts
    votes: int
    left_out: Mapping[str, int]
    last_vote_at: datetime | None
    elo: EloSettings

    def prediction(self, model_a: str, model_b: str) -> Prediction:
        """P(A beats B), with the pair's record; models by permanent name, display name or alias.

        Raises:
            UnknownModel: names the nearest model on the board.
        """
        name_a, name_b = self.find(model_a), self.find(model_b)
        elo = {standing.model: standing.elo for standing in self.standings}
        record = self.counts.record(name_a, name_b) if name_a != name_b else None
        return predict(elo[name_a], elo[name_b], record=record, scale=self.elo.scale)

    def find(self, name: str) -> str:
        """The permanent name of the model called `name`, its display name or an alias of it.

        Raises:
            UnknownModel: names the nearest model on the board.
        """
        called = {alias: spec.name for spec in self.specs.values() for alias in (*spec.aliases, spec.display_name)}
        called |= {spec.name: spec.name for spec in self.specs.values()}
        if name in called:
            return called[name]
        nearest = get_close_matches(name, called, n=1, cutoff=0.0)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else " The board is empty."
        raise UnknownModel(f"No model on the board is called {name!r}.{hint}")


def board_of(rows: BoardRows) -> Board:
    """Rank what the store has."""
    specs = {model.spec.name: model.spec for model in rows.models}
    counts = PairCounts.from_tallies(sorted(specs), rows.tallies)
    return Board(
        version=rows.version,
        standings=standings(rows.ratings, elo_day_ago=rows.ratings_before, counts=counts),
        specs=specs,
        counts=counts,
        votes=rows.votes,
        left_out=rows.left_out,
        last_vote_at=rows.last_vote_at,
        elo=rows.elo,
    )


class BoardReader:
    """Reads each board once per version, whoever asks; the live one every minute, as its change over a day moves."""

    def __init__(self, read: Queries) -> None:
        self._read = read
        self._lock = Lock()
        self._boards: OrderedDict[date | None, tuple[object, Board]] = OrderedDict()
        self._history: tuple[int, tuple[EloPoint, ...]] | None = None

    def board(self, *, until: date | None = None) -> Board:
        """The newest board, or the one at the end of a UTC day."""
        now = datetime.now(UTC)
        key = (self._read.board_version(), now.replace(second=0, microsecond=0) if until is None else None)
        with self._lock:
            known = self._boards.get(until)
            if known is None or known[0] != key:
                rows = self._read.board(now=now) if until is None else self._read.board_at_end_of(until)
                known = self._boards[until] = (key, board_of(rows))
            self._boards.move_to_end(until)
            while len(self._boards) > KEPT:
                self._boards.popitem(last=False)
            return known[1]

    def elo_history(self, *, until: date | None = None) -> tuple[EloPoint, ...]:
        """Every model's Elo over time, thinned for a chart; up to the end of a UTC day if one is given."""
        version = self._read.board_version()
        with self._lock:
            if self._history is None or self._history[0] != version:
                self._history = (version, tuple(self._read.elo_history()))
            points = self._history[1]
        return points if until is None else tuple(point for point in points if point.at.date() <= until)
