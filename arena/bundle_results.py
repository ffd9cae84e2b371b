"""What follows from a bundle's lines of votes: made by one function when it is written and when it is verified.

A million votes pass through here one by one; what is kept of them are numbers.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from arena.errors import StoreCorrupt
from leaderboard import METHODS, EloSettings, Evidence, Games
from leaderboard.games import VERDICTS
from leaderboard.style import STYLE_FEATURES, GameStyles

ELO: Final = "elo"
# Per method and model: the rating, and the ends of its interval where the method has one.
NUMBERS: Final = ("ratings", "lower", "upper")
_CODES: Final = {verdict.value: code for code, verdict in enumerate(VERDICTS)}

Line = Mapping[str, Any]
Made = Mapping[str, Any]


def results_of(lines: Iterable[Line], elo: EloSettings) -> Made:
    """Everything that follows from votes: how many there are of what, and every method's ratings with intervals.

    Raises:
        StoreCorrupt: a numbered vote is not in its place.
        KeyError, TypeError, ValueError, OverflowError: a line is no vote.
    """
    votes = _Votes()
    for line in lines:
        votes.add(line)
    evidence = Evidence.from_games(votes.games(), styles=votes.styles(), left_out=votes.left_out)
    return {
        "votes": votes.read,
        "counted": len(votes.codes),
        "first_at": votes.first_at,
        "last_at": votes.last_at,
        "left_out": dict(votes.left_out),
        "verdicts": dict(votes.verdicts),
        "battles": dict(votes.battles),
        **_rated(evidence, elo),
    }


class _Votes:
    """The counted votes as arrays that grow, and counts of all of them."""

    def __init__(self) -> None:
        self.read = 0
        self.first_at: str | None = None
        self.last_at: str | None = None
        self.left_out: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.battles: Counter[str] = Counter()
        self.codes = array("b")
        self._seats = array("i")
        self._styles = array("q")
        self._numbers: dict[str, int] = {}
        self._all_styled = True

    def add(self, line: Line) -> None:
        """Take the next vote."""
        self.read += 1
        if line.get("seq", self.read) != self.read:  # the arena's are numbered from 1 without a gap
            raise StoreCorrupt(
                f"Vote {line['seq']} stands in place {self.read} of the bundle: a vote is missing or moved."
            )
        if "at" in line:
            self.first_at = self.first_at or str(line["at"])
            self.last_at = str(line["at"])
        if "left_out" in line:
            self.left_out[str(line["left_out"])] += 1
            return
        self.codes.append(_CODES[line["verdict"]])
        self.verdicts[str(line["verdict"])] += 1
        for name in (str(line["a"]), str(line["b"])):
            self.battles[name] += 1
            self._seats.append(self._numbers.setdefault(name, len(self._numbers)))
        self._add_styles(line)

    def games(self) -> Games:
        """The counted votes in order; the models by name."""
        names = sorted(self._numbers)
        place = np.empty(len(names), np.int32)
        place[[self._numbers[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        seats = place[np.array(self._seats, np.int32)].reshape(-1, 2)
        return Games(names=tuple(names), seat_a=seats[:, 0], seat_b=seats[:, 1], verdicts=np.array(self.codes, np.int8))

    def styles(self) -> GameStyles | None:
        """How both answers of each were written; None unless every line tells it."""
        if not self._all_styled:
            return None
        both = np.array(self._styles, np.int64).reshape(-1, 2, len(STYLE_FEATURES))
        return GameStyles(side_a=both[:, 0], side_b=both[:, 1])

    def _add_styles(self, line: Line) -> None:
        if not ("style_a" in line and "style_b" in line):
            self._all_styled = False
        if not self._all_styled:
            return
        for side in ("style_a", "style_b"):
            if len(line[side]) != len(STYLE_FEATURES):
                raise ValueError(f"{side} has {len(line[side])} figures")
            self._styles.extend(line[side])


def _rated(evidence: Evidence, elo: EloSettings) -> Made:
    """By method and model, or the reason why a method gives none."""
    made: dict[str, dict[str, Any]] = {what: {} for what in NUMBERS}
    for key, method in METHODS.items():
        reason = method.cannot_rate(evidence)
        if reason is not None:
            made["ratings"][key] = reason
            continue
        rated = method.rate(evidence, settings=elo if key == ELO else None)
        made["ratings"][key] = {name: float(rating) for name, rating in sorted(rated.ratings.items())}
        if (estimate := rated.estimate) is not None:
            for what, ends in (("lower", estimate.lower), ("upper", estimate.upper)):
                made[what][key] = dict(sorted(zip(estimate.names, ends.tolist(), strict=True)))
    return made
