"""`arena models …`: what fights, whether it answers, and how more of it gets here."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Self

import typer

from arena.cli_output import AsJson, Config, add_row, known, print_json, print_table, say, settings_of, table_of
from arena.errors import ProviderFault, SettingsError, StoreError, StoreMissing

if TYPE_CHECKING:
    from rich.progress import TaskID

    from arena.catalogue import Roster
    from arena.checkup import Checkup
    from arena.domain import ModelSpec
    from arena.embedded import FetchProgress
    from arena.settings import Settings
    from arena.store import ModelSetting

POLL_SECONDS = 0.2
SHOWN = (
    "name",
    "display_name",
    "provider",
    "base_url",
    "upstream_id",
    "key_variable",
    "organisation",
    "licence",
    "context_tokens",
    "knowledge_cutoff",
    "price_in",
    "price_out",
    "weight",
    "state",
)

models = typer.Typer(help="The models that fight.", no_args_is_help=True, rich_markup_mode=None)


@models.command("list", epilog="Example: arena models list --json")
def models_list(config: Config = None, *, as_json: AsJson = False) -> None:
    """Show the models of the settings file, or the embedded ones when it names none, with what administrators decided.

    State and weight are those in force: "Decided" names what an administrator set, and what the file says where it
    says something else.
    """
    from arena.embedded import DEFAULT_NAMES, default_specs
    from arena.store import AS_IN_FILE

    settings = settings_of(config)
    decisions = _decisions(settings)
    found = [(spec, decisions.get(spec.name, AS_IN_FILE)) for spec in settings.specs() or default_specs(DEFAULT_NAMES)]
    if as_json:
        print_json([_as_json(spec, decided) for spec, decided in found])
        return
    table = table_of("Model", "Name", "State", "Weight", "Decided", "Asked at", "Price in / out")
    for spec, decided in found:
        now = decided.applied(spec)
        price = "–" if spec.price_in is None else f"{spec.price_in:g} / {spec.price_out:g}"
        state, weight, where = now.state.value, f"{now.weight:g}", spec.base_url or spec.provider
        add_row(table, spec.display_name, spec.name, state, weight, _in_words(spec, decided), where, price)
    print_table(table)


@models.command("check", epilog="Example: arena models check && arena serve")
def models_check(config: Config = None, *, as_json: AsJson = False) -> None:
    """Ask each enabled model one short question; exit code 1 when one fails.

    What administrators decided counts: who is disabled on their page is not asked, whatever the file says.
    """
    from arena.catalogue import Roster
    from arena.checkup import check_models

    settings = settings_of(config)
    roster = Roster(settings)
    roster.refresh(_decisions(settings))
    roster.start()
    try:
        errors = _await_embedded(roster)
        checkups = asyncio.run(check_models(roster.specs(), endpoint=roster.endpoint, limits=settings.stream_limits()))
    finally:
        roster.close()
    print_json([asdict(checkup) for checkup in checkups]) if as_json else _print_checkups(checkups)
    problems = [*errors, *(checkup.problem for checkup in checkups if checkup.problem)]
    for problem in problems or ([] if checkups else ["There is no enabled model."]):
        say(problem, err=True)
    if problems or not checkups:
        raise typer.Exit(1)


def _decisions(settings: "Settings") -> "Mapping[str, ModelSetting]":
    """What administrators decided, by model; nobody has before there is a database."""
    from arena.store import Store

    try:
        with closing(Store.open_to_read(settings.database_url)) as store:
            return store.read.admin.model_settings()
    except StoreMissing:
        return {}
    except StoreError as error:
        say(f"What administrators decided is not known here. {error}", err=True)
        return {}


def _as_json(spec: "ModelSpec", decided: "ModelSetting") -> dict[str, object]:
    now = decided.applied(spec)
    shown = {key: getattr(now, key) for key in SHOWN}
    return shown | {"decided": asdict(decided), "in_file": {"state": spec.state, "weight": spec.weight}}


def _in_words(spec: "ModelSpec", decided: "ModelSetting") -> str:
    """What an administrator set, and what the file says else: "state (file: enabled), weight"."""
    parts = []
    if decided.state is not None:
        parts.append("state" + (f" (file: {spec.state.value})" if decided.state is not spec.state else ""))
    if decided.weight is not None:
        parts.append("weight" + (f" (file: {spec.weight:g})" if decided.weight != spec.weight else ""))
    return ", ".join(parts) or "–"


def _await_embedded(roster: "Roster") -> list[str]:
    """Wait until each embedded model is served or has failed; what is wrong with those that have."""
    from arena.embedded import FetchState, find_weights

    def runs(name: str) -> bool:
        try:
            roster.endpoint(find_weights(name).spec)
        except ProviderFault:
            return False
        return True

    with _FetchBar() as bar:
        while True:
            downloads = roster.catalogue().downloads
            for download in downloads:
                bar.show(download)
            if all(download.state is FetchState.FAILED or runs(download.name) for download in downloads):
                roster.refresh()
                return [download.error for download in downloads if download.error]
            sleep(POLL_SECONDS)


def _print_checkups(checkups: Sequence["Checkup"]) -> None:
    table = table_of("Model", "First token", "Tokens/s", "Cost", "")
    for checkup in checkups:
        add_row(
            table,
            checkup.model,
            known(checkup.first_token_ms, "{:,} ms"),
            known(checkup.tokens_per_second, "{:.1f}"),
            known(checkup.cost_usd, "${:.6f}"),
            "failed" if checkup.problem else "ok",
        )
    print_table(table)


@models.command("fetch", epilog="Example: arena models fetch qwen2.5-coder-1.5b")
def models_fetch(name: Annotated[str, typer.Argument(help="Which one.")], config: Config = None) -> None:
    """Fetch the weights of an embedded model; an interrupted fetch goes on where it stopped."""
    from arena.embedded import fetch

    settings = settings_of(config)
    with _FetchBar() as bar:
        path = fetch(name, cache_dir=settings.cache_dir, progress=bar.show)
    say(f"{name} is here: {path}")


@models.command("import", epilog="Example: arena models import api_endpoints.json --output arena.toml")
def models_import(
    file: Annotated[Path, typer.Argument(help="FastChat's api_endpoints.json.")],
    output: Annotated[Path | None, typer.Option(help="Write here instead of to the terminal.")] = None,
) -> None:
    """Turn FastChat's endpoints file into an arena.toml; keys are left out."""
    from arena.exchange import import_api_endpoints

    text = import_api_endpoints(file)
    if output is None:
        say(text.removesuffix("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise SettingsError(f"{output} exists already: name another file, or move it away.") from error
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}.") from error
    say(f"{output} is written; `arena models check --config {output}` tries it.")


class _FetchBar:
    """A bar per model that is being fetched, on the terminal's error stream; nothing when all are here."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:  # it would print an empty line
            self._progress.stop()

    def show(self, now: "FetchProgress") -> None:
        """Move the bar of `now.name`; a model that is here already gets none."""
        from arena.embedded import FetchState

        if now.name not in self._tasks and now.state in {FetchState.READY, FetchState.WAITING, FetchState.FAILED}:
            return
        if now.name not in self._tasks:
            self._progress.start()
            self._tasks[now.name] = self._progress.add_task(now.name)
        self._progress.update(self._tasks[now.name], completed=now.bytes_done, total=now.bytes_total)
