"""The `arena` command line: the composition root, imported by nothing.

Exit codes: 0 done, 1 a check failed, 2 wrong usage, settings or database, 70 a fault of the program. What a command
needs is imported inside it, so that `arena --help` answers at once.
"""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from arena.cli_admin import admin
from arena.cli_board import predict, standings
from arena.cli_exchange import export_votes, import_votes, sources
from arena.cli_figures import figures
from arena.cli_keeping import backup, erase_voter, restore, verify_bundle
from arena.cli_models import models
from arena.cli_output import AsJson, Config, print_json, say, settings_of
from arena.cli_votes import voters, votes
from arena.errors import ArenaError, SettingsError, StoreCorrupt
from arena.numerals import count, verb

PORTS_TRIED = 100
UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h

app = typer.Typer(
    help="A chatbot arena for your team: blind battles between language models, a live leaderboard.",
    epilog=f"Data live in {platformdirs.user_data_path('team-arena')}, or in arena-data/ beside your arena.toml.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and those may hold keys
    rich_markup_mode=None,
)
app.command(epilog="Example: arena standings --method elo_order_free --json")(standings)
app.command(epilog="Examples: arena predict gpt-4o gpt-4 · arena predict --ratings 1287 1120")(predict)
app.command(epilog="Example: arena figures pictures --format png --method elo_order_free")(figures)
app.add_typer(models, name="models")
app.add_typer(admin, name="admin")
app.command("import", epilog="Examples: arena import votes.csv · arena import train.parquet --dry-run")(import_votes)
app.command("export", epilog="Example: arena export votes.json --format clean_battle")(export_votes)
app.add_typer(sources, name="sources")
app.command(epilog="Example: arena backup arena-2026-11-22.backup")(backup)
app.command(epilog="Example: arena restore arena-2026-11-22.backup")(restore)
voters.command("erase", epilog='Example: arena voters erase 4f1c8e --reason "asked for it"')(erase_voter)
app.add_typer(votes, name="votes")
app.add_typer(voters, name="voters")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command (`sys.argv` by default) and exit."""
    try:
        app(args=arguments, prog_name="arena")
    except ArenaError as error:
        say(f"arena: {error}", err=True)
        sys.exit(1 if isinstance(error, StoreCorrupt) else 2)
    except Exception:  # noqa: BLE001 - Python's own report would show what the error's text holds, a key perhaps
        _report()
        sys.exit(UNFORESEEN)


def _report() -> None:
    """The traceback of the error at hand, without secrets."""
    from arena.logs import secrets_of
    from arena.providers import without_keys

    say(without_keys(traceback.format_exc(), *secrets_of(None, environ=os.environ)), err=True)


@app.callback(invoke_without_command=True)
def _options(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    if show_version:
        typer.echo(f"arena {version('team-arena')}")
        raise typer.Exit


@app.command(epilog="Example: arena serve --port 8600")
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8501, or the next free one.")] = None,
) -> None:
    """Start the arena in the browser; Ctrl-C ends it."""
    from arena.allocator import use_little_memory
    from arena.logs import guard_logs, log_to_terminal, secrets_of

    use_little_memory(os.environ)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(0))  # uvicorn shuts down first, then raises the signal again
    settings = settings_of(config)
    settings.cookie_secret()  # refuses here rather than on every page
    host = host or settings.host
    wanted = port or settings.port
    settled = port is not None or "port" in settings.model_fields_set
    port = _free_port(host, wanted, tries=1 if settled else PORTS_TRIED)
    if settings.source is not None:
        os.environ["ARENA_CONFIG"] = str(settings.source)
    os.environ.setdefault("FORWARDED_ALLOW_IPS", _believed(settings.trusted_proxies))
    guard_logs(secrets_of(settings, environ=os.environ))
    log_to_terminal()
    say(f"The arena opens on http://{_shown(host)}:{port} (Ctrl-C ends it); data in {settings.data_dir}")
    sys.stdout.flush()
    _run_streamlit(host, port)


def _free_port(host: str, wanted: int, *, tries: int) -> int:
    for port in range(wanted, min(wanted + tries, 65536)):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.create_server((host, port), family=family):
                return port
        except OSError as error:
            if tries == 1:
                raise SettingsError(
                    f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port or --host."
                ) from error
    raise SettingsError(f"No port of {host} from {wanted} to {wanted + tries - 1} is free: choose one with --port.")


def _believed(proxies: Sequence[object]) -> str:
    """Whose X-Forwarded-Proto and -For the web server believes: this machine, and the proxies of the settings."""
    return ",".join(["127.0.0.1", "::1", *map(str, proxies)])


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _run_streamlit(host: str, port: int) -> None:
    """In this process, by Streamlit's own command line: only that reads `pages/.streamlit/config.toml`."""
    from streamlit.web.cli import main as streamlit

    flags = {
        "server.address": host,
        "server.port": port,
        "server.headless": "true",  # no browser, no question for an e-mail address
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",
    }
    entry = Path(__file__).resolve().parent.parent / "pages" / "asgi.py"
    streamlit(["run", str(entry), *(f"--{key}={value}" for key, value in flags.items())], standalone_mode=False)


@app.command(epilog="Example: arena verify && echo sound")
def verify(
    config: Config = None,
    *,
    bundle: Annotated[Path | None, typer.Option(help="A file of `arena export --bundle`, not the database.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every rating and tally from the votes; exit code 1 at the first difference."""
    from arena.store import Store

    if bundle is not None:
        verify_bundle(bundle, as_json=as_json)
        return
    with closing(Store.open_to_read(settings_of(config).database_url)) as store:
        report = store.read.verify()
    if as_json:
        print_json(asdict(report))
    else:
        counted = f"{report.counted:,} of them {verb(report.counted, 'counts', 'count')}"
        typer.echo(
            f"Sound: {count(report.votes, 'vote')}, {counted}, "
            f"{verb(report.votes, 'gives', 'give')} exactly the stored ratings of {count(report.models, 'model')}, "
            f"{count(report.tallies, 'tally', 'tallies')} and {count(report.checkpoints, 'checkpoint')}; "
            f"so do those of {count(report.sources, 'imported file')}."
        )


@app.command(epilog="Example: arena migrate")
def migrate(config: Config = None) -> None:
    """Bring the database to this program's schema, or make it; no arena may be running on a SQLite file."""
    from arena.store import Store
    from leaderboard import EloSettings

    settings = settings_of(config)
    done = Store.migrate(settings.database_url, elo=EloSettings(**dict(settings.elo)))
    if done.before == done.after:
        typer.echo(f"The database has this program's schema ({done.after}): nothing to do.")
    elif done.before is None:
        typer.echo(f"A new database was made, with schema {done.after}.")
    else:
        typer.echo(f"The database was brought from schema {done.before} to {done.after}.")


if __name__ == "__main__":
    main()
