"""`arena backup`, `arena restore`, `arena voters erase`: what is kept, and what is not."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arena.cli_output import ACTOR, AsJson, Config, print_json, say_head, settings_of, store_to_write
from arena.numerals import count, verb


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    config: Config = None,
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the whole database into a file, also while the arena runs; keep it as safe as the database itself."""
    from arena.backup import back_up

    report = back_up(settings_of(config).database_url, file, overwrite=overwrite)
    facts = report.facts
    if as_json:
        print_json(
            {
                "taken_at": report.taken_at.isoformat(),
                "size": report.size,
                "engine": facts.engine,
                "schema": facts.schema,
                "votes": facts.votes,
                "board_version": facts.board_version,
                "audit": asdict(facts.audit),
            }
        )
        return
    them = verb(facts.votes, "it", "them")
    size = f"{report.size / 1e6:,.1f} MB"
    typer.echo(f"{count(facts.votes, 'vote')} and all that belongs to {them} are in {file} ({size}).")
    say_head(facts.audit)


def restore(
    file: Annotated[Path, typer.Argument(help="What `arena backup` wrote.")],
    config: Config = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a database that holds votes.")] = False,
) -> None:
    """Replace the database by a backup, every vote of it recomputed; no server may run on it."""
    from arena.backup import restore as restore_backup

    report = restore_backup(settings_of(config).database_url, file, force=force)
    typer.echo(f"Restored and sound: {count(report.votes, 'vote')}, {count(report.models, 'model')}.")


def verify_bundle(file: Path, *, as_json: bool) -> None:
    """Recompute everything in a bundle."""
    from arena.bundle import verify_bundle as verified

    report = verified(file)
    if as_json:
        print_json(asdict(report))
        return
    how = "to the last bit" if report.exact else "within 1e-9 Elo, as another platform's arithmetic allows"
    counted = f"{report.counted:,} of them {verb(report.counted, 'counts', 'count')}"
    typer.echo(
        f"Sound: {count(report.votes, 'vote')} of {', '.join(report.sources)}, {counted}, "
        f"{verb(report.votes, 'gives', 'give')} the bundle's ratings {how}. Its SHA-256 is {report.sha256}."
    )


def erase_voter(
    voter: Annotated[str, typer.Argument(help="The short name, as `arena voters list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words: kept in the audit log, for administrators.")],
    config: Config = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a voter and the texts of his battles for good; his votes stay. The server must be stopped first."""
    from arena.desk import Desk

    if not yes:
        typer.confirm("Remove this voter and the texts of all his battles for good?", abort=True)
    with store_to_write(config) as store:
        erased = Desk(store).erase(voter, reason=reason, actor=ACTOR)
    if as_json:
        print_json({"battles": erased.battles, "votes": erased.votes, "kept": erased.kept})
        return
    typer.echo(
        f"Erased: {count(erased.battles, 'battle')} {verb(erased.battles, 'is', 'are')} without text, "
        f"{count(erased.votes, 'vote')} without a voter."
    )
    typer.echo(
        erased.kept or "Nothing of it is left in the database file. Backups and exports made before still have it."
    )
