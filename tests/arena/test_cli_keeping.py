import io
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from arena.__main__ import main
from arena.domain import short_voter
from arena.settings import Settings, load_settings
from arena.store import Store
from arena.store.traces import KEPT_BY_POSTGRESQL
from tests.arena.store.conftest import Desk

Run = Callable[..., "tuple[object, str, str]"]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> Run:
    """Commands in a folder with a settings file: their exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "arena.toml").write_text("hold_seconds = 1.0\n")

    def command(*arguments: str | Path) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code, *capsys.readouterr()

    return command


@pytest.fixture
def settings(run: Run) -> Settings:  # noqa: ARG001 - for its folder
    return load_settings()


@pytest.fixture
def voted(settings: Settings) -> Settings:
    """A database with five votes of one voter and one of another."""
    with closing(Store.open(settings.database_url)) as store:
        desk = Desk(store)
        desk.enter()
        desk.votes(5)
        desk.vote(owner="other")
    return settings


@pytest.mark.usefixtures("voted")
def test_a_voter_is_erased(run: Run, engine_name: str) -> None:
    code, out, _ = run("voters", "erase", short_voter("voter"), "--reason", "asked for it", "--yes")

    assert code == 0
    left = {"sqlite": "Nothing of it is left", "postgresql": KEPT_BY_POSTGRESQL}[engine_name]
    assert out.startswith(f"Erased: 5 battles are without text, 5 votes without a voter.\n{left}")
    assert run("verify")[0] == 0


@pytest.mark.usefixtures("voted")
def test_what_was_erased_can_be_read_by_a_program(run: Run, engine_name: str) -> None:
    _, out, _ = run("voters", "erase", short_voter("other")[:6], "--reason", "asked", "--yes", "--json")

    kept = {"sqlite": None, "postgresql": KEPT_BY_POSTGRESQL}[engine_name]
    assert json.loads(out) == {"battles": 1, "votes": 1, "kept": kept}


@pytest.mark.usefixtures("voted")
def test_nobody_is_erased_without_a_yes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    code, _, _ = run("voters", "erase", short_voter("voter"), "--reason", "asked")

    assert code == 1
    assert run("voters", "erase", "nobody", "--reason", "asked", "--yes")[0] == 2


@pytest.mark.parametrize("command", ["backup", "restore", "voters erase"])
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    code, out, _ = run(*command.split(), "--help")

    assert code == 0
    assert f"arena {command}" in out.partition("Example")[2]


@pytest.mark.both_engines
@pytest.mark.usefixtures("voted")
def test_a_backup_is_made_and_comes_back(run: Run) -> None:
    code, out, _ = run("backup", "night.backup")
    _, as_json, _ = run("backup", "other.backup", "--json")
    refused, _, why = run("restore", "night.backup")
    back, sound, _ = run("restore", "night.backup", "--force")

    assert code == 0
    assert out.startswith("6 votes and all that belongs to them are in night.backup (")
    assert "Audit log: 4 entries, the last one's digest is " in out  # four models came
    assert json.loads(as_json)["votes"] == 6
    assert (refused, "holds 6 votes" in why) == (2, True)
    assert (back, sound) == (0, "Restored and sound: 6 votes, 4 models.\n")
    assert run("verify")[0] == 0


@pytest.mark.usefixtures("voted")
def test_a_bundle_is_written_and_verified(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("export", "board.zip", "--bundle")
    (tmp_path / "arena.toml").unlink()
    monkeypatch.setenv("ARENA_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere.db")
    sound, words, _ = run("verify", "--bundle", "board.zip")
    _, as_json, _ = run("verify", "--bundle", "board.zip", "--json")

    assert (code, sound) == (0, 0)
    assert out.startswith("6 votes of arena and what follows from them are in board.zip.\nIts SHA-256 is ")
    assert words.startswith("Sound: 6 votes of arena, 6 of them count, give the bundle's ratings to the last bit.")
    assert json.loads(as_json)["sha256"] in words


@pytest.mark.usefixtures("voted")
def test_a_damaged_bundle_ends_in_code_one(run: Run, tmp_path: Path) -> None:
    run("export", "board.zip", "--bundle")
    content = bytearray((tmp_path / "board.zip").read_bytes())
    content[content.index(b"PK\x03\x04", 100) + 60] ^= 1
    (tmp_path / "board.zip").write_bytes(content)

    code, _, err = run("verify", "--bundle", "board.zip")

    assert (code, "in the archive is" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments", [(), ("--bundle", "--format", "plain"), ("--format", "plain", "--source", "a", "--source", "b")]
)
def test_an_export_is_of_one_kind(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("export", "file", *arguments)[0] == 2
