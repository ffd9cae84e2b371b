"""Made-up votes of other arenas, and how a test gets them into a store."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arena.foreign import NAMED, Conversation, ForeignVote, StyleFigures
from arena.store import NewSource, Source, SourceLoad, Store
from leaderboard.verdicts import Verdict

START = datetime(2024, 5, 1, 23, 59, 59, tzinfo=UTC)
TABLES = ("source", "foreign_model", "foreign_vote", "foreign_text", "foreign_style", "tally")


def source(name: str = "file", **what: Any) -> NewSource:  # noqa: ANN401 - any field
    return NewSource(**{"name": name, "format": "plain", "sha256": f"sum of {name}"} | what)


def vote(a: str = "ant", b: str = "bee", verdict: Verdict = Verdict.A, **more: Any) -> ForeignVote:  # noqa: ANN401 - any field
    return ForeignVote(1, a, b, verdict)._replace(**more)


def load(store: Store, votes: Sequence[ForeignVote], *, name: str = "file") -> Source:
    with SourceLoad(store.write, source(name)) as loading:
        loading.add(votes)
        return loading.publish(actor="tester")


RICH = [
    vote(cast_at=START, voter="7", id="x", language="de", turns=1),
    vote(verdict=Verdict.B, cast_at=START + timedelta(seconds=1), id="y"),
    vote("bee", "cat", Verdict.BOTH_BAD, conversation=Conversation(("2+2?", "So?"), ("4", "```\n```"), ("5", "é"))),
    vote("cat", "ant", Verdict.TIE, left_out=NAMED, style_a=StyleFigures(1, 2, 3, 4), style_b=StyleFigures(bold=0)),
]
