"""Open WebUI's feedback export: a thumb up or down for one answer against the answers beside it.

Fields: open-webui, backend/open_webui/models/feedbacks.py. Its own board passes draws over; here rating 0 is a tie.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.fields import RowFault, instant, model_name, opaque, require_pairs, seconds_of, shown
from arena.exchange.format import Format, columns_of
from arena.exchange.tables import Chunk, Sample
from arena.foreign import ForeignVote
from leaderboard.verdicts import Verdict

_RATINGS = {1: Verdict.A, -1: Verdict.B, 0: Verdict.TIE}


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "data", "type") and isinstance(sample.first.get("data"), Mapping)


def _votes(chunk: Chunk) -> list[ForeignVote | None]:
    rows = zip(chunk.lines, *(chunk[name] for name in ("id", "user_id", "type", "data", "created_at")), strict=True)
    return [vote for row in rows for vote in _votes_of(row)]


def _votes_of(row: tuple[Any, ...]) -> Iterator[ForeignVote | None]:
    """One vote per answer beside the rated one; a thumb for a lone answer compares nothing."""
    line, feedback_id, user, kind, data, created_at = row
    if not isinstance(data, Mapping):
        raise RowFault(f"data is no object: {shown(data)}")
    rivals = data.get("sibling_model_ids") or []
    if not isinstance(rivals, list):
        raise RowFault(f"sibling_model_ids is no list: {shown(rivals)}")
    if kind != "rating" or not rivals:
        yield None
        return
    verdict = _verdict(data.get("rating"))
    rated, own_id = model_name(data.get("model_id")), opaque(feedback_id)
    for number, rival in enumerate(map(model_name, rivals)):
        require_pairs([rated], [rival])
        yield ForeignVote(
            line=line,
            model_a=rated,
            model_b=rival,
            verdict=verdict,
            cast_at=instant(created_at),
            voter=opaque(user),
            id=f"{own_id}#{number + 1}" if own_id and number else own_id,
        )


def _verdict(rating: object) -> Verdict:
    if isinstance(rating, bool | float) or rating not in _RATINGS:
        raise RowFault(f"unknown verdict {shown(rating)}; known ratings are 1, -1 and 0")
    return _RATINGS[rating]


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    seconds = None if vote.cast_at is None else int(seconds_of(vote.cast_at) or 0)
    rating = next((number for number, verdict in _RATINGS.items() if verdict is vote.verdict), 0)
    return {
        "id": vote.id,
        "user_id": vote.voter,
        "version": 0,
        "type": "rating",
        "data": {"rating": rating, "model_id": vote.model_a, "sibling_model_ids": [vote.model_b]},
        "meta": {"arena": True},
        "created_at": seconds,
        "updated_at": seconds,
    }


FORMAT = Format(
    title="Open WebUI feedback",
    kinds=(Kind.JSON, Kind.JSON_LINES),
    columns=dict.fromkeys(("id", "user_id", "version", "type", "data", "meta", "created_at", "updated_at"), "text"),
    wants=frozenset({"id", "user_id", "type", "data", "created_at"}),
    carries=frozenset({"voter", "id"}),
    loses="both bad becomes a tie, which Open WebUI's own board passes over; times are cut to seconds; texts, turns, "
    "languages, style figures; votes on named models come back as counting",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
