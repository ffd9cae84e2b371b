"""`arena standings` and `arena predict`: the board and a pair of it, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli_output import (
    AsJson,
    Config,
    add_row,
    known,
    print_json,
    print_table,
    say,
    status,
    store_to_read,
    table_of,
)
from arena.cli_selection import Method, takes_selection
from arena.errors import CannotRate
from arena.numerals import count, verb

if TYPE_CHECKING:
    from arena.board import Board
    from arena.rated_board import RatedBoard
    from arena.selection import Selection
    from arena.store import Store
    from leaderboard import Forecast, Prediction, RatedStanding


@takes_selection
def standings(
    selection: "Selection",
    config: Config = None,
    *,
    method: Method = "bradley_terry",
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard, ordered by Elo, with a rating and its 95 % interval beside."""
    with store_to_read(config) as store, status("Rating …"):
        live = _live(store, until=selection.until)
        rated = _rated(store, live, method=method, selection=selection)
    if as_json:
        print_json(_as_json(live, rated))
    else:
        _print(live, rated)


def predict(
    model_a: Annotated[str | None, typer.Argument(help="A model's name, display name or alias.")] = None,
    model_b: Annotated[str | None, typer.Argument(help="The other one's.")] = None,
    ratings: Annotated[tuple[float, float] | None, typer.Option(help="Two Elo ratings; needs no database.")] = None,
    config: Config = None,
    method: Method = "bradley_terry",
    *,
    as_json: AsJson = False,
) -> None:
    """How likely is A's answer preferred to B's?"""
    if (ratings is None) == (model_a is None or model_b is None) or (ratings is not None and model_a is not None):
        raise typer.BadParameter("name two models, or give --ratings and two numbers")
    if ratings is not None:
        _say("A", "B", _predict_ratings(*ratings), None, as_json=as_json)
        return
    with store_to_read(config) as store, status("Rating …"):
        live = _live(store)
        names = (live.find(str(model_a)), live.find(str(model_b)))
        forecast = _forecast(store, live, *names, method=method)
    _say(*names, live.prediction(*names), forecast, as_json=as_json)


def _live(store: "Store", *, until: date | None = None) -> "Board":
    from arena.board import board_of

    return board_of(store.read.board(now=datetime.now(UTC)) if until is None else store.read.board_at_end_of(until))


def _rated(store: "Store", live: "Board", *, method: str, selection: "Selection") -> "RatedBoard":
    from arena.rated_board import RatedBoards

    by_elo = not selection.failed_loses  # no Elo knows of failed answers
    return RatedBoards(store.read).rated(live, method=method, selection=selection, order_by_elo=by_elo, wait=True)


def _forecast(store: "Store", live: "Board", model_a: str, model_b: str, *, method: str) -> "Forecast | str":
    """The forecast, or a sentence on why there is none."""
    from arena.rated_board import RatedBoards
    from arena.selection import EVERYTHING

    try:
        return RatedBoards(store.read).forecast(live, model_a, model_b, method=method, selection=EVERYTHING, wait=True)
    except CannotRate as refusal:
        return str(refusal)


def _as_json(live: "Board", rated: "RatedBoard") -> Mapping[str, Any]:
    """Stable field names, listed in docs/data.md; what is not known is null."""
    from leaderboard import style_effects

    return {
        "version": rated.version,
        "method": rated.method,
        "until": _iso(rated.selection.until),
        "votes": rated.votes,
        "failed_lost": rated.failed_lost,
        "left_out": dict(rated.left_out),
        "last_vote_day": _iso(rated.last_vote_day),
        "last_vote_at": _iso(rated.last_vote_at),
        "remarks": list(rated.remarks),
        "style_effects": [asdict(effect) for effect in style_effects(rated.rated)],
        "standings": _rows(live, rated),
    }


def _rows(live: "Board", rated: "RatedBoard") -> list[dict[str, Any]]:
    """By Elo all models that were there, else those with a vote in the selection; lost failures go by score."""
    if not rated.elo:
        return [{"change_day": None} | asdict(line) | _score(line) for line in rated.standings]
    lines = {line.model: line for line in rated.standings}
    ordered = live.standings
    if rated.selection.failed_loses:
        place = {line.model: number for number, line in enumerate(rated.standings)}
        ordered = tuple(sorted(ordered, key=lambda each: place.get(each.model, len(place))))
    return [asdict(each) | _results(lines.get(each.model)) | _score(lines.get(each.model)) for each in ordered]


def _results(line: "RatedStanding | None") -> dict[str, Any]:
    """How a model's battles in the selection ended."""
    if line is None:
        return dict.fromkeys(("battles", "wins", "losses", "ties", "both_bad"), 0) | {
            "win_rate": None,
            "preliminary": True,
        }
    names = ("battles", "wins", "losses", "ties", "both_bad", "win_rate", "preliminary")
    return {name: getattr(line, name) for name in names}


def _score(line: "RatedStanding | None") -> dict[str, Any]:
    """What the rating method says of a model; all null for one without a vote in the selection."""
    if line is None:
        return dict.fromkeys(("rank_ub", "rank_worst", "score", "plus", "minus"))
    return {
        "rank_ub": line.rank,
        "rank_worst": line.rank_worst,
        "score": line.score,
        "plus": line.plus,
        "minus": line.minus,
    }


def _print(live: "Board", rated: "RatedBoard") -> None:
    from leaderboard import METHODS, style_effects

    title = METHODS[rated.method].title
    rank = "Rank (UB)" if METHODS[rated.method].has_interval else "Rank"
    table = table_of(rank, "Model", "Elo", title, "95 % CI", "Battles", "Won", "Lost", "Tied", "Win rate")
    for line in rated.standings:
        add_row(
            table,
            str(line.rank) if line.rank == line.rank_worst else f"{line.rank} ({line.rank}–{line.rank_worst})",
            _name(live, line.model) + (" (preliminary)" if line.preliminary else ""),
            known(line.elo, "{:.1f}"),
            f"{line.score:.1f}",
            "–" if line.plus is None else f"+{line.plus:.0f}/−{line.minus:.0f}",
            *(f"{n:,}" for n in (line.battles, line.wins, line.losses, line.ties + line.both_bad)),
            known(line.win_rate, "{:.1%}"),
        )
    if rated.selection.until is not None:
        typer.echo(f"Board as of the end of {rated.selection.until} (UTC), by the votes that count now")
    print_table(table)
    left_out = sum(rated.left_out.values())
    lost = f", and {_counted(rated.failed_lost, 'failed answer')} as lost" if rated.selection.failed_loses else ""
    are = verb(left_out, "is", "are")
    say(f"{_counted(rated.votes, 'vote')}, {left_out:,} {are} left out{_reasons(rated.left_out)}{lost}.")
    for sentence in (*style_effects(rated.rated), *rated.remarks):
        say(str(sentence))


def _counted(number: int, thing: str) -> str:
    return f"{count(number, thing)} {verb(number, 'counts', 'count')}"


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _name(live: "Board", model: str) -> str:
    return live.specs[model].display_name if model in live.specs else model


def _say(name_a: str, name_b: str, elo: "Prediction", forecast: "Forecast | str | None", *, as_json: bool) -> None:
    if as_json:
        from arena.pair_facts import pair_facts

        print_json(pair_facts(name_a, name_b, elo, forecast))
        return
    say(
        f"P({name_a} is preferred to {name_b}) = {elo.probability:.1%}".replace("%", " %")
        + f"   Elo {elo.rating_a:.1f} against {elo.rating_b:.1f}"
    )
    if forecast is not None:
        say(_sentence(forecast))
    if (record := elo.record) is not None:
        say(
            f"Their {count(record.battles, 'battle')}: {record.wins_a:,} won, {record.wins_b:,} lost, "
            f"{record.ties:,} tied, {record.both_bad:,} both bad"
        )


def _sentence(forecast: "Forecast | str") -> str:
    from leaderboard import METHODS

    if isinstance(forecast, str):
        return forecast
    if forecast.chance is None:
        return str(forecast.reason)
    chance = forecast.chance
    text = (
        f"{METHODS[forecast.method].title}: {chance.probability:.1%}, {forecast.level:.0%} interval "
        f"{chance.lower:.1%} to {chance.upper:.1%}"
    )
    if forecast.split is not None:
        win, tie, loss = forecast.split
        text += f"; win {win:.0%}, tie {tie:.0%}, loss {loss:.0%} (Davidson)"
    return text.replace("%", " %")


def _predict_ratings(rating_a: float, rating_b: float) -> "Prediction":
    from leaderboard import predict

    try:
        return predict(rating_a, rating_b)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _reasons(left_out: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(left_out.items()))
    return f" ({reasons})" if reasons else ""
