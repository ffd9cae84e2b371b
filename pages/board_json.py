"""The rated board as a file for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from arena.domain import ModelSpec
from arena.rated_board import RatedBoard
from board_filters import View
from board_links import to_link
from board_table import Line
from leaderboard import RatedStanding, Standing, style_effects

SPEC_FACTS = ("organisation", "licence", "price_in", "price_out", "context_tokens", "knowledge_cutoff", "link")


def board_json(board: RatedBoard, shown: Sequence[Line], view: View) -> str:
    """The lines and what they were made from, for programs."""
    facts = {
        "board_version": board.version,
        "method": board.method,
        "votes": board.votes,
        "failed_lost": board.failed_lost,
        "left_out": dict(board.left_out),
        "last_vote_day": board.last_vote_day.isoformat() if board.last_vote_day else None,
        "last_vote_at": board.last_vote_at.isoformat() if board.last_vote_at else None,
        "filters": to_link(view),
        "remarks": list(board.remarks),
        "style_effects": [asdict(effect) for effect in style_effects(board.rated)],
        "models": [_entry(line, board.specs[line.model]) for line in shown],
    }
    return as_text(facts)


def model_facts(spec: ModelSpec) -> Mapping[str, object]:
    """What is publicly known of a model."""
    facts = {name: getattr(spec, name) for name in SPEC_FACTS}
    return {"model": spec.name, "display_name": spec.display_name, "state": spec.state.value, **facts}


def as_text(facts: Mapping[str, object]) -> str:
    """As every file for programs is written."""
    return json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False)


def _entry(line: Line, spec: ModelSpec) -> dict[str, object]:
    figures = dict.fromkeys(each.name for each in fields(RatedStanding)) | asdict(line)
    figures.pop("change_day", None)
    if isinstance(line, Standing):
        figures["rank"] = None
    return {**figures, **model_facts(spec)}
