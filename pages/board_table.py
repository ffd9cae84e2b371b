"""The rated board as a table: its lines and its columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from arena.board import Board
from arena.domain import ModelSpec, ModelState
from arena.rated_board import RatedBoard
from arena.selection import EVERYTHING
from board_filters import View
from leaderboard import METHODS, RatedStanding, Standing
from shell import signed
from tables import dollars

_RANK = "One more than the number of models that are surely better: whose intervals lie wholly above"
_PLACE = "The place by this score: a method without intervals cannot tell who is surely better"
_CHANGE = "Change of the Elo over the last 24 hours; of a past board over its last day"
_PRICE = "USD per million tokens"
LINK_ICON = ":material/open_in_new:"


def columns(method: str) -> dict[str, Any]:
    """The table's columns; the scores are those of `method`."""
    title = METHODS[method].title
    rank, meaning = ("Rank (UB)", _RANK) if METHODS[method].has_interval else ("Rank", _PLACE)
    return {
        "rank": st.column_config.NumberColumn(rank, width=75, help=meaning),
        "spread": st.column_config.TextColumn("Spread", width=65, help="The best and the worst rank it may have"),
        "model": st.column_config.TextColumn("Model", width=290),
        "link": st.column_config.LinkColumn("Page", display_text=LINK_ICON, width=50, help="What its maker says of it"),
        "score": st.column_config.NumberColumn(title, format="%.0f", width=25 + 7 * len(title)),
        "interval": st.column_config.TextColumn(
            "95\N{NO-BREAK SPACE}% CI", width=80, help="How far the score's interval reaches"
        ),
        "elo": st.column_config.NumberColumn("Elo", format="%.0f", width=60),
        "change": st.column_config.NumberColumn("24 h", width=60, help=_CHANGE),
        "battles": st.column_config.NumberColumn("Votes", format="localized", width=70),
        "win_rate": st.column_config.ProgressColumn("Win rate", format="percent", width=110, help="Ties: half a win"),
        "organisation": st.column_config.TextColumn("Organisation"),
        "licence": st.column_config.TextColumn("Licence"),
        "price_in": st.column_config.NumberColumn("Price in", width=75, help=_PRICE),
        "price_out": st.column_config.NumberColumn("Price out", width=75, help=_PRICE),
        "context": st.column_config.NumberColumn("Context", format="localized", width=75, help="In tokens"),
        "cutoff": st.column_config.TextColumn("Knowledge cut-off", width=110),
        "wins": st.column_config.NumberColumn("Wins", format="localized", width=60),
        "losses": st.column_config.NumberColumn("Losses", format="localized", width=65),
        "ties": st.column_config.NumberColumn("Ties", format="localized", width=60, help="Both good, or both bad"),
    }


Line = RatedStanding | Standing  # the latter for a model without a vote: it has an Elo, and no score


def lines(board: RatedBoard, live: Board, view: View) -> list[Line]:
    """What the view shows, in its order; the search comes later.

    The arena's own board also lists the models without a vote: among the others by Elo, else below them.
    """
    listed: list[Line] = [*board.standings]
    if replace(view.selection, until=None) == EVERYTHING:
        voted = {standing.model for standing in board.standings}
        listed += [standing for standing in live.standings if standing.model not in voted]
        if view.by_elo:
            listed.sort(key=lambda line: -(line.elo or 0.0))
    return [line for line in listed if _fits(line, board.specs[line.model], view)]


def row(line: Line, spec: ModelSpec, label: str, *, change: float | None) -> dict[str, object]:
    """One line of the table; `change` is that of the Elo over a day."""
    marks = [label, *["retired"] * (spec.state is ModelState.RETIRED), *["preliminary"] * line.preliminary]
    rated = line if isinstance(line, RatedStanding) else None
    return {
        "rank": rated and rated.rank,
        "spread": ranks(rated) if rated and rated.plus is not None else None,
        "model": " · ".join(marks),
        "link": spec.link,
        "score": rated and rated.score,
        "interval": rated and interval(rated),
        "elo": line.elo,
        "change": change,
        "battles": line.battles,
        "win_rate": line.win_rate,
        "organisation": spec.organisation,
        "licence": spec.licence,
        "price_in": spec.price_in,
        "price_out": spec.price_out,
        "context": spec.context_tokens,
        "cutoff": spec.knowledge_cutoff,
        "wins": line.wins,
        "losses": line.losses,
        "ties": line.ties + line.both_bad,
    }


def written(frame: pd.DataFrame) -> Styler:
    """The table of such lines as people read it: prices and changes as text that sorts as numbers, parts rounded."""
    # A column of whole numbers with gaps would be one of fractions: "1.000000".
    rounded = frame.assign(win_rate=frame["win_rate"].astype(float).round(3), rank=frame["rank"].astype("Int64"))
    texts: dict[str, Any] = {"change": change, "price_in": dollars, "price_out": dollars}
    return rounded.style.format(texts, na_rep="")


def change(points: float) -> str:
    """A change of the Elo: +16, −3, 0."""
    return signed(points) if round(points) else "0"


def ranks(standing: RatedStanding) -> str:
    """The ranks that a model may have: 1–3, or 2."""
    return str(standing.rank) if standing.rank == standing.rank_worst else f"{standing.rank}–{standing.rank_worst}"


def interval(standing: RatedStanding) -> str | None:
    """How far the interval reaches up and down: +12/−9; None where the method has none."""
    if standing.plus is None or standing.minus is None:
        return None
    return f"+{standing.plus:.0f}/−{standing.minus:.0f}"


def found(rows: Sequence[dict[str, object]], search: str) -> list[dict[str, object]]:
    """The lines whose model or organisation has every word of the search in it."""
    words = search.casefold().split()
    texts = [f"{line['model']} {line['organisation'] or ''}".casefold() for line in rows]
    return [line for line, text in zip(rows, texts, strict=True) if all(word in text for word in words)]


def _fits(line: Line, spec: ModelSpec, view: View) -> bool:
    return (
        line.battles >= view.votes
        and (view.retired or spec.state is not ModelState.RETIRED)
        and (not view.organisation or spec.organisation in view.organisation)
        and (not view.licence or spec.licence in view.licence)
    )
