import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from fault_server import wait_until

from arena.__main__ import main
from arena.settings import load_settings
from arena.store import Store

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / "data"
BAD = "model_a,model_b,winner\na,b,tie\na,a,tie\nb,a,model_a\n"

Run = Callable[..., "tuple[object, str, str]"]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> Run:
    """Commands in an empty folder with a settings file: their exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "arena.toml").write_text("hold_seconds = 1.0\n")
    (tmp_path / "bad.csv").write_text(BAD)

    def command(*arguments: str | Path) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code, *capsys.readouterr()

    return command


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What is typed when a command asks."""
    return lambda words: monkeypatch.setattr("sys.stdin", io.StringIO(words))


def test_a_file_is_imported_listed_and_known_again(run: Run) -> None:
    code, out, _ = run("import", DATA / "llmfao_votes.csv", "--name", "crowd")
    _, listed, _ = run("sources")
    again_code, again, _ = run("import", DATA / "llmfao_votes.csv")

    assert (code, out) == (0, "Imported as 'crowd': 8,931 votes (plain).\n")
    assert "crowd" in listed
    assert "8,931" in listed
    assert again_code == 0
    assert "imported as 'crowd' on" in again
    assert again.endswith("nothing was added.\n")


def test_the_board_of_another_arena_is_sound(run: Run) -> None:
    run("import", DATA / "chatbot_arena_20240814_pairs.csv")

    _, out, _ = run("verify")
    _, listed, _ = run("sources")

    assert "so do those of 1 imported file." in out
    assert "1,670,250 (counts only)" in listed


def test_a_bad_row_is_named_and_ends_in_an_error(run: Run) -> None:
    code, _, err = run("import", "bad.csv")

    assert code == 2
    assert err == "arena: bad.csv, line 3: the model 'a' meets itself. Nothing was imported.\n"
    assert json.loads(run("sources", "--json")[1]) == []


def test_bad_rows_go_into_a_file(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("import", "bad.csv", "--skip-bad", "rejected.jsonl")

    (rejected,) = map(json.loads, (tmp_path / "rejected.jsonl").read_text().splitlines())
    assert (code, out) == (0, "Imported as 'bad': 2 votes (plain), 1 bad row is in rejected.jsonl.\n")
    assert (rejected["line"], rejected["reason"]) == (3, "the model 'a' meets itself")
    assert json.loads(rejected["raw"]) == {"model_a": "a", "model_b": "a", "winner": "tie"}


def test_a_dry_run_says_what_would_be_and_makes_no_database(run: Run) -> None:
    code, out, _ = run("import", DATA / "llmfao_votes.csv", "--dry-run")
    bad_code, _, _ = run("import", "bad.csv", "--dry-run")

    assert (code, out, bad_code) == (0, "Could be imported: 8,931 votes (plain).\n", 2)
    assert not load_settings().data_dir.exists()


def test_an_import_speaks_json(run: Run) -> None:
    _, out, _ = run("import", DATA / "llmfao_votes.csv", "--json")

    told = json.loads(out)
    assert (told["added"], told["votes"], told["rejected"]) == (True, 8_931, 0)
    assert (told["source"]["name"], told["source"]["tallies_only"]) == ("llmfao_votes", False)


def test_rows_that_compare_nothing_are_counted(run: Run, tmp_path: Path) -> None:
    thumb = {"id": "1", "type": "rating", "data": {"rating": 1, "model_id": "a", "sibling_model_ids": ["b"]}}
    lone = {**thumb, "id": "2", "data": {"rating": 1, "model_id": "a"}}
    (tmp_path / "feedback.json").write_text(json.dumps([thumb, lone]))

    _, out, _ = run("import", "feedback.json")

    assert out == "Imported as 'feedback': 1 vote (open_webui), 1 row compares nothing.\n"


def test_votes_are_exported_and_what_is_lost_is_said(run: Run, tmp_path: Path) -> None:
    run("import", DATA / "llmfao_votes.csv")

    code, out, _ = run("export", "votes.json", "--format", "clean_battle", "--source", "llmfao_votes")
    again_code, _, again = run("export", "votes.json", "--format", "clean_battle", "--source", "llmfao_votes")

    assert code == 0
    assert out.startswith("8,931 votes of llmfao_votes are in votes.json (FastChat clean_battle). Lost on the way:")
    assert re.search(r"Audit log: 1 entry, the last one's digest is [0-9a-f]{64}\.\n$", out)
    assert len(json.loads((tmp_path / "votes.json").read_text())) == 8_931
    assert again_code == 2
    assert "--overwrite" in again


WRITES = [("import", DATA / "llmfao_votes.csv"), ("sources", "remove", "llmfao_votes", "--yes"), ("migrate",)]


@pytest.mark.postgresql_only
@pytest.mark.parametrize("command", WRITES)
def test_what_writes_works_beside_an_arena_that_runs_on_a_server(run: Run, command: tuple[str, ...]) -> None:
    run("import", DATA / "llmfao_votes.csv")
    with closing(Store.open(load_settings().database_url)) as running:
        code, _, err = run(*command)
        left = running.read.sources()

    assert (code, err) == (0, "")
    assert [source.name for source in left] == ([] if "remove" in command else ["llmfao_votes"])


@pytest.mark.sqlite_only
@pytest.mark.parametrize("command", WRITES)
def test_what_writes_beside_a_running_arena_is_refused_with_the_remedy(run: Run, command: tuple[str, ...]) -> None:
    run("import", DATA / "llmfao_votes.csv")
    running = Store.open(load_settings().database_url)

    code, _, err = run(*command)
    running.close()

    assert code == 2
    assert f"in use by the arena with process id {os.getpid()}: stop that process, then try again." in err
    assert json.loads(run("sources", "--json")[1])[0]["votes"] == 8_931


@pytest.mark.parametrize("command", [("sources",), ("standings", "--source", "llmfao_votes"), ("verify",)])
def test_what_reads_works_beside_a_running_arena(run: Run, command: tuple[str, ...]) -> None:
    run("import", DATA / "llmfao_votes.csv")
    running = Store.open(load_settings().database_url)

    code, _, err = run(*command)
    running.close()

    assert (code, err) == (0, "")


# Languages and styles


def conversations(path: Path, n: int) -> None:
    prompt = "Bitte erkläre mir doch, wie so ein Kühlschrank funktioniert."
    lines = [f'a,b,tie,"{prompt}",**Kalt** {i},Warm.' for i in range(n)]
    path.write_text("\n".join(["model_a,model_b,winner,prompt,response_a,response_b", *lines]) + "\n")


@pytest.mark.both_engines
def test_languages_are_told_when_the_import_is_done(run: Run, tmp_path: Path) -> None:
    conversations(tmp_path / "german.csv", 60)

    code, out, err = run("import", "german.csv")
    board = json.loads(run("standings", "--source", "german", "--language", "de", "--json")[1])

    assert (code, out, err) == (0, "Imported as 'german': 60 votes (plain).\n", "")
    assert board["votes"] == 60
    assert run("verify")[0] == 0


@pytest.mark.usefixtures("run")
def test_whoever_does_not_wait_for_the_languages_loses_nothing(tmp_path: Path, variables: Mapping[str, str]) -> None:
    conversations(tmp_path / "german.csv", 10_000)
    url = load_settings().database_url
    command = [sys.executable, "-m", "arena", "import", "german.csv"]
    # Whoever runs the tests in the background of a shell lets them, and their children, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    environ = {"PYTHONPATH": str(ROOT), "PATH": "", **variables}
    importer = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with importer:
        assert importer.stdout is not None
        assert importer.stdout.readline() == b"Imported as 'german': 10,000 votes (plain).\n"
        with closing(Store.open_to_read(url)) as store:
            wait_until(lambda: store.read.facets().languages)
        importer.send_signal(signal.SIGINT)
        _, err = importer.communicate()

    assert importer.returncode == 0, err
    assert b"The votes are imported. Languages and styles that are still to be told follow" in err
    with closing(Store.open_to_read(url)) as store:
        assert store.read.verify().sources == 1
        assert [source.classifier for source in store.read.sources()] == [None]


# Removal


def test_a_source_is_removed_after_a_question(run: Run, answer: Callable[[str], None]) -> None:
    run("import", DATA / "llmfao_votes.csv", "--name", "crowd")
    answer("y\n")

    code, out, _ = run("sources", "remove", "crowd")

    assert (code, out) == (0, "Remove 'crowd' and its 8,931 votes for good? [y/N]: Removed 'crowd'.\n")
    assert json.loads(run("sources", "--json")[1]) == []


@pytest.mark.parametrize("words", ["n\n", "\n", ""])
def test_without_a_yes_the_source_stays(run: Run, answer: Callable[[str], None], words: str) -> None:
    run("import", DATA / "llmfao_votes.csv")
    answer(words)

    code, _, err = run("sources", "remove", "llmfao_votes")

    assert code == 1
    assert "Aborted" in err
    assert len(json.loads(run("sources", "--json")[1])) == 1


def test_nobody_is_asked_about_a_source_that_is_not_there(run: Run) -> None:
    run("import", DATA / "llmfao_votes.csv")

    code, out, err = run("sources", "remove", "crowd")

    assert (code, out) == (2, "")
    assert err == "arena: There is no source 'crowd'; known are llmfao_votes. Nothing was removed.\n"


def test_the_settings_file_may_stand_before_or_behind_the_verb(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'data_dir = "{tmp_path / "other"}"\n')
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(f"model_a,model_b,winner\na,{name},tie\n")
        run("import", f"{name}.csv", "--config", "other.toml")

    before = run("sources", "--config", "other.toml", "remove", "one", "--yes")
    behind = run("sources", "remove", "two", "--yes", "--config", "other.toml")

    assert (before[0], behind[0]) == (0, 0)
    assert json.loads(run("sources", "--json", "--config", "other.toml")[1]) == []


def test_a_folder_that_cannot_take_the_bad_rows_is_named(run: Run) -> None:
    code, _, err = run("import", "bad.csv", "--skip-bad", "nowhere/rejected.jsonl")

    assert code == 2
    assert err.startswith("arena: nowhere/rejected.jsonl cannot be written")


def test_an_unknown_format_is_named(run: Run) -> None:
    assert "no format 'chess'" in run("export", "x.csv", "--format", "chess")[2]
    assert "no format 'chess'" in run("import", "bad.csv", "--format", "chess")[2]


def test_a_name_is_shown_letter_by_letter_and_crashes_no_table(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{name},plain,model_a\n" for name in ("[/bold]evil", "[link=http://x]link", ":smile:", "[red]=1+1"))
    (tmp_path / "hostile.csv").write_text(f"model_a,model_b,winner\n{rows}")
    run("import", "hostile.csv")

    code, out, _ = run("standings", "--source", "hostile")

    assert code == 0
    for name in ("[/bold]evil", "[link=http://x]link", ":smile:", "[red]=1+1"):
        assert name in out


def test_no_command_sends_an_order_to_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hostile.csv").write_text("model_a,model_b,winner\na,b\x1b[2J\x9b1A\u202e,tie\n")

    for arguments in (
        ["import", "hostile.csv"],
        ["import", "hostile\x1b[2J.csv"],
        ["standings", "--source", "\x9b2J\u202e"],
        ["predict", "\x1b[2J", "b"],
        ["export", "x.csv", "--format", "\x1b[2J"],
        ["models", "fetch", "\x1b[2J"],
        ["models", "list", "--config", "\x1b[2J"],
    ):
        code, out, err = run(*arguments)

        assert code in {0, 2}
        assert not {"\x1b", "\x9b", "\u202e"} & set(out + err)
