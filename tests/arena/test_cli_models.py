"""`arena models list` and `check` beside what administrators decided on their page."""

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from arena.__main__ import main
from arena.domain import ModelState
from arena.settings import load_settings
from arena.store import ModelSetting, Store

Run = Callable[..., "tuple[object, str, str]"]
MODEL = "[[models]]\nname = '{}'\nprovider = 'scripted'\nscript = {{ text = 'Yes.' }}\n{}\n"
DATABASE = Path("arena-data/arena.sqlite3")


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> Run:
    """Commands in a folder whose arena has three models; on SQLite no database yet."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("ARENA_")]:
        monkeypatch.delenv(variable)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    Path("arena.toml").write_text(MODEL.format("ant", "") + MODEL.format("bee", "weight = 2") + MODEL.format("cow", ""))

    def command(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return ended.value.code, *capsys.readouterr()

    return command


def decide(**decisions: ModelSetting) -> None:
    settings = load_settings()
    with closing(Store.open(settings.database_url)) as store:
        store.write.sync_models(settings.specs()).result()
        for name, setting in decisions.items():
            store.write.admin.set_model(name, setting, actor="root").result()


def line(out: str, name: str) -> str:
    (found,) = [line for line in out.splitlines() if f" {name} " in line]
    return " ".join(found.split())


def test_the_list_shows_what_is_in_force_and_what_the_file_says_else(run: Run) -> None:
    decide(ant=ModelSetting(state=ModelState.DISABLED), bee=ModelSetting(state=ModelState.RETIRED, weight=0.5))

    code, out, err = run("models", "list")

    assert (code, err) == (0, "")
    assert "disabled 1 state (file: enabled)" in line(out, "ant")
    assert "retired 0.5 state (file: enabled), weight (file: 2)" in line(out, "bee")
    assert "enabled 1 – scripted" in line(out, "cow")


def test_a_decision_that_the_file_has_caught_up_with_is_marked_without_a_difference(run: Run) -> None:
    decide(ant=ModelSetting(state=ModelState.DISABLED))
    Path("arena.toml").write_text(MODEL.format("ant", "state = 'disabled'"))

    _, out, _ = run("models", "list")

    assert "disabled 1 state scripted" in line(out, "ant")


def test_programs_get_what_is_in_force_what_was_decided_and_what_the_file_says(run: Run) -> None:
    decide(bee=ModelSetting(weight=0.5))

    ant, bee, _ = json.loads(run("models", "list", "--json")[1])

    assert (bee["state"], bee["weight"]) == ("enabled", 0.5)
    assert bee["decided"] == {"state": None, "weight": 0.5}
    assert bee["in_file"] == {"state": "enabled", "weight": 2.0}
    assert ant["decided"] == {"state": None, "weight": None}


def test_the_check_asks_what_an_administrator_lets_play(run: Run) -> None:
    Path("arena.toml").write_text(MODEL.format("ant", "") + MODEL.format("bee", "state = 'disabled'"))
    decide(ant=ModelSetting(state=ModelState.DISABLED), bee=ModelSetting(state=ModelState.ENABLED))

    code, out, _ = run("models", "check", "--json")

    assert (code, [checked["model"] for checked in json.loads(out)]) == (0, ["bee"])


@pytest.mark.sqlite_only
def test_without_a_database_nothing_is_decided_and_none_is_made(run: Run) -> None:
    code, out, err = run("models", "list")

    assert (code, err) == (0, "")
    assert "enabled 2 – scripted" in line(out, "bee")
    assert not DATABASE.exists()


@pytest.mark.sqlite_only
def test_a_database_that_cannot_be_read_is_told_beside_what_the_file_says(run: Run) -> None:
    decide()
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()

    code, out, err = run("models", "list")

    assert code == 0
    assert "enabled 2 – scripted" in line(out, "bee")
    assert "What administrators decided is not known here" in err
    assert "arena migrate" in err
