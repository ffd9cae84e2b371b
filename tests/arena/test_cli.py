import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from arena.__main__ import _free_port, _shown, main
from arena.cli_models import _FetchBar
from arena.domain import FinishReason, Reply, ReplyStatus, Seats, Side
from arena.embedded import FetchProgress, FetchState, default_cache_dir
from arena.errors import SettingsError
from arena.settings import Settings, load_settings
from arena.store import NewBattle, Store
from arena.store.engine import database_of
from leaderboard import Verdict
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
CACHE = default_cache_dir()  # the user's own, before a test looks elsewhere
TOML = """
[[models]]
name = "alpha"
display_name = "Model Alpha"
provider = "scripted"
script = { text = "Paris is the capital." }
price_in = 1.0
price_out = 2.0

[[models]]
name = "beta"
aliases = ["second"]
provider = "scripted"
script = { text = "It is Paris." }
"""


@dataclass(frozen=True, slots=True)
class Result:
    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Path:
    """A user without settings, in an empty folder."""
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    for variable in [name for name in os.environ if name.startswith("ARENA_")]:
        monkeypatch.delenv(variable)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str | Path) -> Result:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Result(ended.value.code, *capsys.readouterr())

    return run_command


@pytest.fixture
def failing(board: Settings) -> Settings:
    """The same, and alpha failed against beta in two battles of yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with closing(Store.open(board.database_url, clock=lambda: yesterday)) as store:
        for name in ("b2", "b3"):
            seats, prints = Seats("alpha", "beta"), dict.fromkeys(Side, "x")
            new = NewBattle(id=name, conversation_id=name, seats=seats, owner="me", prompt="?", fingerprints=prints)
            store.write.open_battle(new).result()
            for side, status in zip(Side, (ReplyStatus.FAILED, ReplyStatus.OK), strict=True):
                store.write.finish_reply(name, Reply(turn=1, side=side, attempt=1, status=status)).result()
    return board


@pytest.fixture
def settings(elsewhere: Path) -> Settings:
    (elsewhere / "arena.toml").write_text(TOML)
    return load_settings()


@pytest.fixture
def board(settings: Settings) -> Settings:
    """A database with one vote: alpha beat beta."""
    store = Store.open(settings.database_url)
    store.write.sync_models(settings.specs()).result()
    prints = dict.fromkeys(Side, "x")
    battle = NewBattle(
        id="b1", conversation_id="c1", seats=Seats("alpha", "beta"), owner="me", prompt="?", fingerprints=prints
    )
    store.write.open_battle(battle).result()
    for side, text in zip(Side, ("yes, it is", "yes"), strict=True):
        reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=text, finish_reason=FinishReason.STOP)
        store.write.finish_reply("b1", reply).result()
    store.write.cast_vote("b1", "me", Verdict.A).result()
    store.close()
    return settings


# Help and errors


def test_the_version_is_printed(run: Run) -> None:
    result = run("--version")

    assert result.code == 0
    assert result.out.startswith("arena 0.")


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "standings",
        "predict",
        "verify",
        "migrate",
        "models list",
        "models check",
        "models fetch",
        "models import",
        "votes held",
        "votes confirm",
        "votes restore",
        "votes exclude",
        "voters list",
        "voters trust",
        "voters untrust",
    ],
)
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")

    assert result.code == 0
    assert f"arena {command}" in result.out.partition("Example")[2]


def test_a_fault_of_the_program_is_reported_without_the_keys_in_its_words(
    run: Run, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "planted0001")
    monkeypatch.delenv("ARENA_DATABASE_URL", raising=False)
    # No path can hold NUL, which nobody foresaw.
    (elsewhere / "arena.toml").write_text('data_dir = "/tmp/\\u0000planted0001"\n')

    result = run("migrate")

    assert result.code == 70
    assert "Traceback" in result.err
    assert "planted" not in result.err


def test_the_help_says_where_data_live(run: Run) -> None:
    assert "Data live in" in run("--help").out


def test_nothing_heavy_is_imported_for_the_help() -> None:
    code = (
        "import sys, arena.__main__\n"
        "heavy = {'streamlit', 'sqlalchemy', 'openai', 'pandas', 'pydantic', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "[]\n"


def test_wrong_settings_are_one_line_and_exit_code_2(run: Run, elsewhere: Path) -> None:
    (elsewhere / "arena.toml").write_text("prot = 1")

    result = run("models", "list")

    assert result.code == 2
    assert result.err.startswith("arena: ")
    assert "did you mean `port`?" in result.err
    assert result.err.count("\n") == 1


# Models


@pytest.mark.usefixtures("settings")
def test_the_models_of_the_file_are_listed(run: Run) -> None:
    result = run("models", "list")

    assert result.code == 0
    assert "Model Alpha" in result.out
    assert "1 / 2" in result.out


@pytest.mark.usefixtures("settings")
def test_models_are_listed_for_programs_without_their_prompts_and_scripts(run: Run) -> None:
    listed = run("models", "list", "--json").json

    assert [model["name"] for model in listed] == ["alpha", "beta"]
    assert not {"system_prompt", "script", "extra_body"} & set(listed[0])


def test_without_a_file_the_embedded_models_are_listed(run: Run) -> None:
    assert "SmolLM2" in run("models", "list").out


@pytest.mark.usefixtures("settings")
def test_healthy_models_are_checked_with_exit_code_0(run: Run) -> None:
    result = run("models", "check")

    assert result.code == 0
    assert result.out.count(" ok ") == 2
    assert "$0.000018" in result.out


def test_a_failing_model_is_named_with_exit_code_1(run: Run, elsewhere: Path) -> None:
    (elsewhere / "arena.toml").write_text(TOML.replace('text = "It is Paris."', 'fault = "quota"'))

    result = run("models", "check", "--json")

    assert result.code == 1
    assert [checkup["problem"] is None for checkup in result.json] == [True, False]
    assert result.err.startswith("beta: the account has no credit left")


def test_no_enabled_model_is_a_failed_check(run: Run, elsewhere: Path) -> None:
    (elsewhere / "arena.toml").write_text('[[models]]\nname = "m"\nprovider = "scripted"\nstate = "disabled"\n')

    result = run("models", "check")

    assert result.code == 1
    assert "no enabled model" in result.err


@pytest.mark.embedded
def test_an_embedded_model_is_started_for_its_check(run: Run, elsewhere: Path) -> None:
    (elsewhere / "arena.toml").write_text(
        f"cache_dir = {str(CACHE)!r}\n[[models]]\nname = 'm'\nbase_url = 'embedded:smollm2-135m'\nmax_tokens = 20\n"
    )

    result = run("models", "check", "--json")

    assert result.code == 0, result
    assert result.json[0]["tokens_per_second"] > 0


def test_unknown_weights_are_refused_with_the_known_ones(run: Run) -> None:
    result = run("models", "fetch", "gpt-5")

    assert result.code == 2
    assert "there are smollm2-135m" in result.err


def test_the_bar_shows_what_is_fetched_and_nothing_for_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    with _FetchBar() as bar:
        bar.show(FetchProgress(name="here", state=FetchState.READY, bytes_done=5, bytes_total=5))
        bar.show(FetchProgress(name="coming", state=FetchState.FETCHING, bytes_done=1_000_000, bytes_total=4_000_000))
        bar.show(FetchProgress(name="coming", state=FetchState.READY, bytes_done=4_000_000, bytes_total=4_000_000))

    shown = capsys.readouterr().err
    assert "coming" in shown
    assert "4.0/4.0 MB" in shown
    assert "here" not in shown


def test_a_fastchat_file_is_imported_and_its_result_is_valid(run: Run, elsewhere: Path) -> None:
    source = elsewhere / "api_endpoints.json"
    source.write_text('{"m": {"model_name": "u", "api_type": "openai", "api_key": "sk-literal"}}')

    printed = run("models", "import", source)
    written = run("models", "import", source, "--output", "new.toml")

    assert (printed.code, written.code) == (0, 0)
    assert (elsewhere / "new.toml").read_text() == printed.out
    assert "sk-literal" not in printed.out
    assert load_settings(config=elsewhere / "new.toml", environ={}).specs()[0].key_variable == "OPENAI_API_KEY"


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("output", "words"), [("arena.toml", "exists already"), ("no/where.toml", "cannot be written")]
)
def test_an_import_overwrites_nothing(run: Run, output: str, words: str) -> None:
    Path("e.json").write_text('{"m": {"model_name": "u", "api_type": "openai"}}')

    result = run("models", "import", "e.json", "--output", output)

    assert result.code == 2
    assert words in result.err
    assert Path("arena.toml").read_text() == TOML


def test_a_hostile_file_is_refused(run: Run) -> None:
    Path("e.json").write_bytes(b"[" * 100_000)

    result = run("models", "import", "e.json")

    assert result.code == 2
    assert "nested too deeply" in result.err


# The board


@pytest.mark.usefixtures("board")
def test_the_standings_are_a_table(run: Run) -> None:
    result = run("standings")

    assert result.code == 0
    assert "Model Alpha (preliminary)" in result.out
    assert "1016.0" in result.out
    assert "1 vote counts, 0 are left out." in result.out


@pytest.mark.usefixtures("board")
def test_the_standings_are_json_for_programs(run: Run) -> None:
    data = run("standings", "--json").json

    assert data["votes"] == 1
    assert [(row["rank"], row["model"], row["elo"], row["wins"]) for row in data["standings"]] == [
        (1, "alpha", 1016.0, 1),
        (2, "beta", 984.0, 0),
    ]


@pytest.mark.usefixtures("board")
def test_the_standings_carry_a_score_with_its_interval_and_rank(run: Run) -> None:
    table = run("standings")
    first = run("standings", "--json").json["standings"][0]

    assert "Bradley–Terry" in table.out
    assert first["plus"] == pytest.approx(first["minus"])
    assert (first["rank_ub"], first["rank_worst"]) == (1, 2)


@pytest.mark.usefixtures("board")
def test_only_a_method_with_intervals_has_a_rank_by_upper_bounds(run: Run) -> None:
    assert "Rank (UB)" in run("standings").out
    assert "Rank (UB)" not in run("standings", "--method", "elo_order_free").out


@pytest.mark.usefixtures("board")
def test_the_standings_by_style_control_say_what_style_is_worth(run: Run) -> None:
    said = run("standings", "--method", "style_control").out
    (length,) = run("standings", "--method", "style_control", "--json").json["style_effects"]

    assert "Length: +" in said
    assert (length["feature"], length["times"], length["level"]) == ("length", 3.0, 0.95)
    assert length["lower"] < 0.0 < length["points"] < length["upper"]
    assert run("standings", "--json").json["style_effects"] == []


@pytest.mark.usefixtures("board")
def test_the_standings_can_be_those_of_a_selection(run: Run) -> None:
    data = run("standings", "--code", "--since", "2026-01-01", "--json").json

    assert data["votes"] == 0
    assert [row["score"] for row in data["standings"]] == [None, None]


@pytest.mark.usefixtures("failing")
def test_a_failed_answer_loses_in_the_standings_that_ask_for_it(run: Run) -> None:
    plain, second = run("standings", "--json").json, run("standings", "--failed-loses", "--json").json
    said, refused = run("standings", "--failed-loses").out, run("standings", "--failed-loses", "--method", "elo")

    assert (plain["votes"], plain["failed_lost"]) == (1, 0)
    assert (second["votes"], second["failed_lost"]) == (1, 2)
    assert [row["model"] for row in plain["standings"]] == ["alpha", "beta"]
    assert [(row["model"], row["wins"], row["losses"]) for row in second["standings"]] == [
        ("beta", 2, 1),
        ("alpha", 1, 2),
    ]
    assert [row["elo"] for row in second["standings"]] == [984.0, 1016.0]
    assert "1 vote counts, 0 are left out, and 2 failed answers count as lost." in said
    assert refused.code == 2
    assert "choose Bradley–Terry or Davidson" in refused.err


@pytest.mark.usefixtures("board")
def test_the_standings_of_a_past_day_are_those_of_its_end(run: Run) -> None:
    today = datetime.now(UTC).date()

    past = run("standings", "--until", f"{today - timedelta(days=1)}")
    before = run("standings", "--until", f"{today - timedelta(days=1)}", "--json").json
    now = run("standings", "--until", f"{today}", "--json").json

    assert f"Board as of the end of {today - timedelta(days=1)} (UTC)" in past.out
    assert "Alpha" not in past.out
    assert (before["votes"], before["last_vote_at"], before["standings"]) == (0, None, [])
    assert (now["until"], now["votes"], now["last_vote_day"]) == (f"{today}", 1, f"{today}")
    assert [(row["model"], row["elo"], row["battles"]) for row in now["standings"]] == [
        ("alpha", 1016.0, 1),
        ("beta", 984.0, 1),
    ]


@pytest.mark.usefixtures("board")
def test_a_selections_battles_are_its_own(run: Run) -> None:
    rows = run("standings", "--code", "--json").json["standings"]

    assert [(row["elo"], row["battles"], row["wins"], row["win_rate"]) for row in rows] == [
        (1016.0, 0, 0, None),
        (984.0, 0, 0, None),
    ]


@pytest.mark.usefixtures("board")
def test_an_unknown_method_is_refused_with_the_known_ones(run: Run) -> None:
    result = run("standings", "--method", "glicko")

    assert result.code == 2
    assert "bradley_terry" in result.err


@pytest.fixture
def nothing_there(variables: Mapping[str, str], make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, or a server's database without a table."""
    if variables:
        monkeypatch.setenv("ARENA_DATABASE_URL", make_database(blank=True))


@pytest.mark.both_engines
@pytest.mark.usefixtures("nothing_there")
def test_without_a_database_the_standings_say_what_to_do(run: Run) -> None:
    result = run("standings")

    assert result.code == 2
    assert "start the arena once" in result.err


def test_two_ratings_are_compared_without_a_database(run: Run) -> None:
    result = run("predict", "--ratings", "1287", "1120")

    assert result.code == 0
    assert "72.3 %" in result.out


@pytest.mark.usefixtures("board")
def test_two_models_are_compared_by_name_display_name_or_alias(run: Run) -> None:
    result = run("predict", "Model Alpha", "second")

    assert result.code == 0
    assert "P(alpha is preferred to beta) = 54.6 %" in result.out
    assert "Their 1 battle: 1 won, 0 lost" in result.out


@pytest.mark.usefixtures("board")
def test_a_prediction_is_json_for_programs(run: Run) -> None:
    data = run("predict", "alpha", "beta", "--json").json

    assert data["probability"] == pytest.approx(1 / (1 + 10 ** (-32 / 400)))
    assert (data["model_a"], data["model_b"], data["record"]["wins_a"]) == ("alpha", "beta", 1)


@pytest.mark.usefixtures("board")
def test_a_prediction_has_an_interval_beside_the_elo_figure(run: Run) -> None:
    forecast = run("predict", "alpha", "beta", "--json").json["forecast"]
    text = run("predict", "alpha", "beta").out

    assert forecast["chance"]["lower"] < forecast["chance"]["probability"] < forecast["chance"]["upper"]
    assert sum(forecast["split"][end] for end in ("win", "tie", "loss")) == pytest.approx(1.0)
    assert "95 % interval" in text
    assert "tie" in text


@pytest.mark.usefixtures("board")
def test_a_method_without_a_chance_says_so_and_leaves_the_elo_figure(run: Run) -> None:
    result = run("predict", "alpha", "beta", "--method", "davidson")
    data = run("predict", "alpha", "beta", "--method", "davidson", "--json").json

    assert "54.6 %" in result.out
    assert "choose Bradley–Terry" in result.out
    assert (data["forecast"], "choose" in data["reason"]) == (None, True)


@pytest.mark.usefixtures("board")
def test_an_unknown_model_names_the_nearest(run: Run) -> None:
    result = run("predict", "alpah", "beta")

    assert result.code == 2
    assert "Did you mean 'alpha'?" in result.err


@pytest.mark.parametrize(
    "arguments", [[], ["alpha"], ["--ratings", "1", "2", "alpha"], ["--ratings", "nan", "2"], ["--ratings", "1"]]
)
def test_a_prediction_needs_two_models_or_two_ratings(run: Run, arguments: list[str]) -> None:
    result = run("predict", *arguments)

    assert result.code == 2
    assert "Error:" in result.err


@pytest.mark.both_engines
@pytest.mark.usefixtures("board")
def test_a_sound_database_is_verified(run: Run) -> None:
    assert run("verify").out.startswith("Sound: 1 vote, 1 of them counts, gives exactly")
    assert run("verify", "--json").json["counted"] == 1


@pytest.mark.both_engines
def test_a_changed_rating_fails_the_verification_with_exit_code_1(run: Run, board: Settings) -> None:
    engine = database_of(board.database_url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rating SET elo = elo + 1")
    engine.dispose()

    result = run("verify")

    assert result.code == 1
    assert result.err.startswith("arena: ")


@pytest.mark.usefixtures("nothing_there")
def test_migrating_makes_the_database(run: Run) -> None:
    first, again = run("migrate"), run("migrate")

    assert (first.code, again.code) == (0, 0)
    assert "A new database was made" in first.out
    assert "nothing to do" in again.out


def test_migrating_beside_a_running_arena_is_refused_where_one_process_writes(
    run: Run, settings: Settings, engine_name: str
) -> None:
    with closing(Store.open(settings.database_url)):
        beside = run("migrate")

    assert beside.code == (2 if engine_name == "sqlite" else 0)
    assert beside.err.startswith("arena: ") == (engine_name == "sqlite")


# Serving


def test_the_next_free_port_is_taken_unless_one_was_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert port < _free_port("127.0.0.1", port, tries=50) < port + 50
        with pytest.raises(SettingsError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: .*Choose another --port"):
            _free_port("127.0.0.1", port, tries=1)


def test_ports_end_at_65535() -> None:
    with pytest.raises(SettingsError, match=r"No port of 192\.0\.2\.1"):  # TEST-NET-1: no machine has it
        _free_port("192.0.2.1", 65534, tries=100)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]")]
)
def test_the_address_is_shown_as_a_browser_wants_it(host: str, shown: str) -> None:
    assert _shown(host) == shown


@pytest.fixture
def served(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "arena", "serve", "--port", str(port), "--config", str(settings.source)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process, f"http://127.0.0.1:{port}"
        process.kill()


def test_serving_a_shared_database_without_a_shared_secret_is_refused_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARENA_DATABASE_URL", "postgresql://db.invalid/arena")
    monkeypatch.delenv("ARENA_SECRET", raising=False)

    ended = run("serve")

    assert ended.code == 2
    assert ended.err.startswith("arena: ARENA_SECRET is not set")


def health(address: str) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None


def test_serving_answers_and_an_interrupt_ends_it_quietly(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    deadline = monotonic() + 60
    while (answer := health(address)) is None:
        assert process.poll() is None, process.communicate()
        assert monotonic() < deadline, "the arena never answered"
        sleep(0.1)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert answer == {"status": "ready", "ready_models": 2}
    assert process.returncode == 0
    assert f"The arena opens on {address}" in out
    assert "Traceback" not in out + err
