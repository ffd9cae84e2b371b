"""`arena votes …` and `arena voters …`: what an administrator looks at and decides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from arena.cli_output import (
    ACTOR,
    AsJson,
    Config,
    add_row,
    known,
    print_json,
    print_table,
    say,
    store_to_read,
    store_to_write,
    table_of,
)
from arena.numerals import verb

if TYPE_CHECKING:
    from arena.desk import Desk, VoteLine, VoterLine

SHOWN = 100

Seqs = Annotated[list[int] | None, typer.Argument(help="Their numbers, as `arena votes held` shows them.")]
Voter = Annotated[str | None, typer.Option(help="A voter's short name, or as much of it as is no other's.")]
ShortName = Annotated[str, typer.Argument(help="The short name, as `arena voters list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words: kept in the audit log, for administrators.")]
Limit = Annotated[int, typer.Option(min=1, help="How many lines at most.")]


class Decide(Protocol):
    """One of the desk's decisions about votes."""

    def __call__(self, seqs: Sequence[int], *, reason: str, actor: str) -> None:
        """Decide."""


votes = typer.Typer(help="Votes that are held or left out.", no_args_is_help=True, rich_markup_mode=None)
voters = typer.Typer(help="Who votes, and whom to trust.", no_args_is_help=True, rich_markup_mode=None)


@votes.command("held", epilog="Examples: arena votes held --json · arena votes held --which left_out")
def held(
    which: Annotated[str, typer.Option(help="held, left_out (for any reason) or all.")] = "held",
    voter: Voter = None,
    limit: Limit = SHOWN,
    config: Config = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the votes that are held for somebody to look at, the newest first, with what speaks against them."""
    from arena.desk import Desk
    from arena.store import Which

    if which not in {*Which}:
        raise typer.BadParameter(f"{which!r} are no votes to list: use {', '.join(Which)}")
    with store_to_read(config) as store:
        desk = Desk(store)
        lines, alarms = desk.votes(Which(which), voter=voter, limit=limit), desk.alarms()
    if as_json:
        print_json([_vote_as_json(line) for line in lines])
        return
    _print_votes(lines, limit=limit)
    for alarm in alarms:
        say(f"In alarm since {_moment(alarm.since)}: {alarm.model}. {alarm.reason}")


@votes.command("confirm", epilog='Example: arena votes confirm 12 15 --reason "one person, many accounts"')
def confirm(reason: Reason, seqs: Seqs = None, voter: Voter = None, config: Config = None) -> None:
    """Leave held votes out for good, by number or all of a voter. The server must be stopped first."""
    n = _decide(lambda desk: desk.confirm, seqs, voter, which="held", reason=reason, config=config)
    say(f"{n:,} confirmed: out of the board for good.")


@votes.command("restore", epilog='Example: arena votes restore --voter 3f9a --reason "our own team"')
def restore(reason: Reason, seqs: Seqs = None, voter: Voter = None, config: Config = None) -> None:
    """Let votes count that are held or left out, by number or all of a voter. The server must be stopped first."""
    n = _decide(lambda desk: desk.restore, seqs, voter, which="left_out", reason=reason, config=config)
    places = verb(n, "it counts in the place in which it was cast", "they count in the places in which they were cast")
    say(f"{n:,} restored: {places}.")


@votes.command("exclude", epilog='Example: arena votes exclude 40 --reason "a test of ours"')
def exclude(reason: Reason, seqs: Seqs = None, voter: Voter = None, config: Config = None) -> None:
    """Leave votes out of the board, by number or all of a voter. The server must be stopped first."""
    n = _decide(lambda desk: desk.exclude, seqs, voter, which="all", reason=reason, config=config)
    say(f"{n:,} excluded from the board.")


@voters.command("list", epilog="Example: arena voters list --limit 20 --json")
def list_voters(limit: Limit = SHOWN, config: Config = None, *, as_json: AsJson = False) -> None:
    """Show who votes, those with the most held votes first, under short names that tell nothing of a person."""
    from arena.desk import Desk

    with store_to_read(config) as store:
        lines = Desk(store).voters(limit=limit)
    if as_json:
        print_json([_voter_as_json(line) for line in lines])
    else:
        _print_voters(lines)


@voters.command("trust", epilog='Example: arena voters trust 3f9a --reason "a colleague"')
def trust(voter: ShortName, reason: Reason, config: Config = None) -> None:
    """Make a voter's votes a measure for others'. The server must be stopped first."""
    with _desk_to_write(config) as desk:
        desk.trust(voter, reason=reason, actor=ACTOR)
    say(f"Voter {voter} is trusted.")


@voters.command("untrust", epilog='Example: arena voters untrust 3f9a --reason "left the team"')
def untrust(voter: ShortName, reason: Reason, config: Config = None) -> None:
    """Take back what `trust` said. The server must be stopped first."""
    with _desk_to_write(config) as desk:
        desk.untrust(voter, reason=reason, actor=ACTOR)
    say(f"Voter {voter} is not marked as trusted.")


@contextmanager
def _desk_to_write(config: Path | None) -> Iterator["Desk"]:
    from arena.desk import Desk

    with store_to_write(config) as store:
        yield Desk(store)


def _decide(
    verb: "Callable[[Desk], Decide]",
    seqs: list[int] | None,
    voter: str | None,
    *,
    which: str,
    reason: str,
    config: Path | None,
) -> int:
    """Decide about votes by number, or about those of a voter among `which`; how many they are."""
    from arena.store import Which

    if bool(seqs) == (voter is not None):
        raise typer.BadParameter("give the votes' numbers, or --voter and a voter's short name")
    with _desk_to_write(config) as desk:
        chosen = seqs or [line.seq for line in desk.votes(Which(which), voter=voter)]
        verb(desk)(chosen, reason=reason, actor=ACTOR)
    return len(set(chosen))


def _print_votes(lines: "Sequence[VoteLine]", *, limit: int) -> None:
    table = table_of("Vote", "Cast", "Voter", "Battle", "Verdict", "Risk", "Left out", "Why")
    for line in lines:
        add_row(
            table,
            str(line.seq),
            _moment(line.cast_at),
            line.voter or "erased",
            f"{line.models.a} / {line.models.b}",
            line.verdict.value,
            known(line.risk, "{:.2f}"),
            line.left_out or "–",
            " ".join((*line.reasons, *_decision(line))),
        )
    print_table(table)
    if len(lines) == limit:
        say(f"These are the newest {limit:,}; --limit shows more.")


def _decision(line: "VoteLine") -> Iterator[str]:
    if (decision := line.decision) is not None:
        what = "lets it count" if decision.counts else "leaves it out"
        yield f"{decision.actor} {what} since {_moment(decision.at)}: {decision.reason}"


def _print_voters(lines: "Sequence[VoterLine]") -> None:
    table = table_of("Voter", "Votes", "Held", "Counted", "Share", "Trusted", "First seen", "Last seen", "Signs")
    for line in lines:
        add_row(
            table,
            line.voter,
            *(f"{n:,}" for n in (line.votes, line.held, line.counted)),
            f"{line.share:.1%}",
            line.trusted or "–",
            *(_moment(at) for at in (line.first_seen_at, line.last_seen_at)),
            ", ".join(f"{sign.replace('_', ' ')} {n:,}" for sign, n in line.signs.items()),
        )
    print_table(table)


def _vote_as_json(line: "VoteLine") -> dict[str, Any]:
    """Stable field names, listed in docs/data.md."""
    decision = line.decision and asdict(line.decision) | {"at": line.decision.at.isoformat()}
    values = {name: getattr(line, name) for name in line.__slots__ if name not in {"models", "cast_at", "decision"}}
    models = {"model_a": line.models.a, "model_b": line.models.b}
    return values | models | {"cast_at": line.cast_at.isoformat(), "decision": decision}


def _voter_as_json(line: "VoterLine") -> dict[str, Any]:
    moments = {name: getattr(line, name).isoformat() for name in ("first_seen_at", "last_seen_at")}
    return asdict(line) | moments


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
