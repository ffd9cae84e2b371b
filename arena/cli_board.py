"""`arena standings` and `arena predict`: the board and a pair of it, for people and for programs."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli_output import AsJson, Config, add_row, known, print_json, print_table, say, settings_of, table_of
from arena.errors import CannotRate

if TYPE_CHECKING:
    from arena.board import Board
    from arena.rated_board import RatedBoard
    from arena.selection import Selection
    from arena.settings import Settings
    from arena.store import Store
    from leaderboard import Forecast, Prediction, RatedStanding

Method = Annotated[
    str, typer.Option(help="bradley_terry, elo, elo_order_free, davidson; style_control where styles are known.")
]
Category = Annotated[bool | None, typer.Option(help="Only battles of this category, or only the others.")]
DAY_FORMATS = ["%Y-%m-%d"]


def standings(
    config: Config = None,
    *,
    method: Method = "bradley_terry",
    source: Annotated[list[str] | None, typer.Option(help="Where votes come from; may be given again.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAY_FORMATS, help="First UTC day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY_FORMATS, help="Last UTC day.")] = None,
    language: Annotated[str | None, typer.Option(help="ISO 639 code of the prompts' language.")] = None,
    code: Category = None,
    maths: Category = None,
    multi_turn: Category = None,
    long_prompt: Category = None,
    without_ties: Annotated[bool, typer.Option("--without-ties", help="Leave out ties and both-bad.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard, ordered by Elo, with a rating and its 95 % interval beside."""
    from arena.selection import ARENA, Selection

    selection = Selection(
        sources=frozenset(source or [ARENA]),
        since=since.date() if since else None,
        until=until.date() if until else None,
        language=language,
        code=code,
        maths=maths,
        multi_turn=multi_turn,
        long_prompt=long_prompt,
        without_ties=without_ties,
    )
    with _store_to_read(settings_of(config)) as store:
        live = _live(store)
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
    with _store_to_read(settings_of(config)) as store:
        live = _live(store)
        names = (live.find(str(model_a)), live.find(str(model_b)))
        _say(*names, live.prediction(*names), _forecast(store, live, *names, method=method), as_json=as_json)


def _live(store: "Store") -> "Board":
    from arena.board import board_of

    return board_of(store.read.board(now=datetime.now(UTC)))


def _rated(store: "Store", live: "Board", *, method: str, selection: "Selection") -> "RatedBoard":
    from arena.rated_board import RatedBoards

    return RatedBoards(store.read).rated(live, method=method, selection=selection, order_by_elo=True)


def _forecast(store: "Store", live: "Board", model_a: str, model_b: str, *, method: str) -> "Forecast | str":
    """The forecast, or a sentence on why there is none."""
    from arena.rated_board import RatedBoards
    from arena.selection import EVERYTHING

    try:
        return RatedBoards(store.read).forecast(live, model_a, model_b, method=method, selection=EVERYTHING)
    except CannotRate as refusal:
        return str(refusal)


def _as_json(live: "Board", rated: "RatedBoard") -> Mapping[str, Any]:
    """Stable field names, listed in docs/operate.md; what is not known is null."""
    lines = {line.model: line for line in rated.standings}
    return {
        "version": rated.version,
        "method": rated.method,
        "votes": rated.votes,
        "left_out": dict(rated.left_out),
        "last_vote_at": live.last_vote_at.isoformat() if live.last_vote_at else None,
        "remarks": list(rated.remarks),
        "standings": [asdict(standing) | _score(lines.get(standing.model)) for standing in live.standings]
        if rated.elo
        else [asdict(line) | _score(line) for line in rated.standings],
    }


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
    from leaderboard import METHODS

    title = METHODS[rated.method].title
    table = table_of("Rank (UB)", "Model", "Elo", title, "95 % CI", "Battles", "Won", "Lost", "Tied", "Win rate")
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
    print_table(table)
    left_out = sum(rated.left_out.values())
    say(f"{rated.votes:,} votes count, {left_out:,} are left out{_reasons(rated.left_out)}.")
    for remark in rated.remarks:
        say(remark)


def _name(live: "Board", model: str) -> str:
    return live.specs[model].display_name if model in live.specs else model


def _say(name_a: str, name_b: str, elo: "Prediction", forecast: "Forecast | str | None", *, as_json: bool) -> None:
    if as_json:
        shown = forecast if forecast is None or isinstance(forecast, str) else asdict(forecast)
        reason = {"reason": shown} if isinstance(shown, str) else {}
        print_json(
            {"model_a": name_a, "model_b": name_b, **asdict(elo), "forecast": None if reason else shown, **reason}
        )
        return
    say(
        f"P({name_a} is preferred to {name_b}) = {elo.probability:.1%}".replace("%", " %")
        + f"   Elo {elo.rating_a:.1f} against {elo.rating_b:.1f}"
    )
    if forecast is not None:
        say(_sentence(forecast))
    if (record := elo.record) is not None:
        say(
            f"Their {record.battles:,} battles: {record.wins_a:,} won, {record.wins_b:,} lost, "
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


@contextmanager
def _store_to_read(settings: "Settings") -> Iterator["Store"]:
    from arena.store import Store

    with closing(Store.open_to_read(settings.database_url)) as store:
        yield store


def _reasons(left_out: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(left_out.items()))
    return f" ({reasons})" if reasons else ""
