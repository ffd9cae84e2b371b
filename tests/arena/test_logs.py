import gc
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from contextvars import copy_context
from datetime import datetime
from pathlib import Path

import pytest
from uvicorn.logging import AccessFormatter

from arena.logs import JsonLines, Lines, guard_logs, request_id, secrets_of, speak_with_one_voice
from arena.service import Arena
from arena.settings import load_settings
from tests.arena.test_service import MakeSettings, settings, settle

__all__ = ["settings"]  # the fixture

SECRET = "Zq7/planted+0001="
IN_AN_ADDRESS = "Zq7%2Fplanted%2B0001%3D"

Logged = Callable[[], str]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What has been logged by now, by a handler that knows nothing of secrets; the process is left as it was."""
    before = logging.getLogRecordFactory(), threading.excepthook, sys.unraisablehook
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    guard_logs({SECRET})
    yield stream.getvalue
    root.removeHandler(handler)
    logging.setLogRecordFactory(before[0])
    threading.excepthook, sys.unraisablehook = before[1:]


class Echo:
    """An object that tells a secret when it is printed."""

    def __str__(self) -> str:
        return f"the key is {SECRET}"


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (f"asked with {SECRET}", ()),
        ("asked with %s", (SECRET,)),
        ("asked with %s", (IN_AN_ADDRESS,)),
        ("asked with %(key)s", ({"key": SECRET},)),
        ("asked with %s", (Echo(),)),
        ("asked with %s", (ValueError(SECRET),)),
        ("asked with %r", ([SECRET],)),
        ("asked with %d", (SECRET,)),  # a mistake, of which logging would print all it knows
        ("asked with %s %s", (SECRET,)),
        (f"GET /v1/models?key={SECRET}", ()),
        ("Authorization: Bearer %s", ("another-key-that-nobody-configured",)),
    ],
)
def test_no_record_shows_a_secret(logged: Logged, message: str, arguments: tuple[object, ...]) -> None:
    logging.getLogger("some.library").warning(message, *arguments)

    assert "[redacted]" in logged()
    assert "planted" not in logged()
    assert "configured" not in logged()


def test_no_traceback_shows_a_secret(logged: Logged) -> None:
    keys: dict[str, str] = {}

    try:
        keys[SECRET]
    except KeyError as error:
        error.__cause__ = ValueError(f"401 for {SECRET}")
        logging.getLogger("some.library").exception("it failed")

    assert "KeyError: '[redacted]'" in logged()
    assert "401 for [redacted]" in logged()
    assert "planted" not in logged()


def test_an_ordinary_record_is_left_alone(logged: Logged) -> None:
    record = logging.getLogRecordFactory()("name", logging.INFO, "file", 1, "%d of %s", (2, "three"), None)

    assert (record.msg, record.args) == ("%d of %s", (2, "three"))
    assert logged() == ""


def test_a_formatter_that_looks_at_the_arguments_still_finds_them(logged: Logged) -> None:
    arguments = ("127.0.0.1:1", "GET", f"/?key={SECRET}", "1.1", 200)
    record = logging.getLogRecordFactory()("n", logging.INFO, "f", 1, '%s - "%s %s HTTP/%s" %d', arguments, None)

    line = AccessFormatter("%(request_line)s", use_colors=False).format(record)

    assert line == "GET /?key=[redacted] HTTP/1.1"
    assert logged() == ""


def test_no_record_moves_the_cursor(logged: Logged) -> None:
    logging.getLogger("some.library").warning("a model %s", "\x1b[2J\x9b1A\u202egnp")

    assert logged() == "WARNING a model \\u001b[2J\\u009b1A\\u202egnp\n"


def test_the_arenas_own_lines_carry_their_fields_on_one_line(logged: Logged) -> None:
    extra = {"model": f"alpha\n12:00:00 INFO forged {SECRET} \x1b[0m"}
    record = logging.getLogger("arena").makeRecord("arena", 30, "f", 1, "it\nfailed", (), None, extra=extra)

    line = Lines("%(levelname)s %(message)s").format(record)

    assert line == r"WARNING it\nfailed model=alpha\n12:00:00 INFO forged [redacted] \u001b[0m"
    assert logged() == ""


def test_to_programs_a_line_is_one_harmless_json_object(logged: Logged) -> None:
    extra = {"model": f"alpha\n{SECRET} \x1b[0m", "turn": 2, "fault": None, "names": ["a", SECRET]}
    record = logging.getLogger("arena").makeRecord("arena", 30, "f", 1, "it\nfailed %s", (7,), None, extra=extra)

    line = JsonLines().format(record)

    told = json.loads(line)
    assert line.isascii()
    assert "\n" not in line
    assert (told["level"], told["logger"], told["message"]) == ("WARNING", "arena", "it\nfailed 7")
    assert (told["turn"], told["fault"], told["names"]) == (2, None, "['a', '[redacted]']")
    assert "planted" not in line
    assert datetime.fromisoformat(told["at"]).tzinfo is not None
    assert "error" not in told
    assert logged() == ""


def test_to_programs_a_traceback_is_a_field_without_secrets(logged: Logged) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("some.program")
    logger.addHandler(handler)

    logger.error("it failed", exc_info=ValueError(SECRET))
    logger.removeHandler(handler)

    told = json.loads(stream.getvalue())
    assert told["error"] == "ValueError: [redacted]"
    assert "planted" not in logged()


def test_what_a_request_caused_carries_its_id(logged: Logged) -> None:
    context = copy_context()
    context.run(request_id.set, "req-12345678")

    record = context.run(logging.getLogRecordFactory(), "n", 30, "f", 1, "it failed", (), None)

    assert Lines("%(message)s").format(record) == "it failed request_id=req-12345678"
    assert json.loads(JsonLines().format(record))["request_id"] == "req-12345678"
    assert logged() == ""


def test_an_answer_that_fails_is_logged_with_the_id_of_the_request_that_asked(
    logged: Logged, settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Arena.open(settings(script="{ text = 'half', fault = 'quota' }"), environ={})) as arena:
        context = copy_context()
        context.run(request_id.set, "req-12345678")

        battle_id = context.run(arena.open_battle, "me", "Hello?")
        settle(arena, battle_id)

    failed = [vars(record) for record in caplog.records if record.getMessage().startswith("a model failed")]
    assert [record["request_id"] for record in failed] == ["req-12345678"] * 2
    assert "Hello?" not in logged()


@pytest.mark.parametrize("json_lines", [True, False])
def test_libraries_speak_with_one_voice_only_where_the_arena_speaks_json(logged: Logged, json_lines: bool) -> None:
    theirs, ours = logging.StreamHandler(), logging.StreamHandler()
    theirs.setFormatter(logging.Formatter("%(message)s"))
    ours.setFormatter(JsonLines() if json_lines else Lines("%(message)s"))
    logging.getLogger("some.talker").addHandler(theirs)
    logging.getLogger().addHandler(ours)

    speak_with_one_voice()
    logging.getLogger("some.talker").removeHandler(theirs)
    logging.getLogger().removeHandler(ours)

    assert isinstance(theirs.formatter, JsonLines) is json_lines
    assert logged() == ""


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_an_error_that_nobody_caught_in_a_thread_is_logged(logged: Logged, kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    assert ("ValueError: [redacted]" in logged()) == (kind is ValueError)
    assert "planted" not in logged()


def test_an_error_in_a_finalizer_is_logged(logged: Logged) -> None:
    class Careless:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    Careless()
    gc.collect()

    assert "ValueError: [redacted]" in logged()
    assert "planted" not in logged()


def test_new_secrets_replace_the_old_ones(logged: Logged) -> None:
    guard_logs({"another planted one"})

    logging.getLogger("some.library").warning("%s and another planted one", SECRET)

    assert logged() == f"WARNING {SECRET} and [redacted]\n"


def test_every_secret_that_the_process_can_know_is_found(tmp_path: Path) -> None:
    config = tmp_path / "arena.toml"
    config.write_text(
        '[[models]]\nname = "m"\nbase_url = "https://a.example/v1"\nupstream_id = "u"\nkey_variable = "PLAINLY_NAMED"\n'
    )
    environ = {
        "PLAINLY_NAMED": "short",
        "OTHER_API_KEY": " a-key-of-eight ",
        "OTHER_API_KEY_2": "the-second-key",
        "GITHUB_TOKEN": "a-token-of-some-length",
        "TOKENIZERS_PARALLELISM": "a-word-of-some-length",
        "SOME_KEY": "true",
        "HOME": "/home/somebody",
    }
    settings_only = {"ARENA_SECRET": "s" * 16, "ARENA_DATABASE_URL": "postgresql://me:pass%20word@db/arena"}
    settings = load_settings(config=config, environ=settings_only)

    assert secrets_of(None, environ=environ) == {"a-key-of-eight", "the-second-key", "a-token-of-some-length"}
    assert secrets_of(settings, environ=environ) == secrets_of(None, environ=environ) | {
        "short",
        "s" * 16,
        "pass%20word",
        "pass word",
    }


def test_a_cookie_secret_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    (tmp_path / "secret").chmod(0o600)
    settings = load_settings(environ={"ARENA_DATA_DIR": str(tmp_path), "ARENA_DATABASE_URL": "http://[/"})

    assert secrets_of(settings, environ={}) == set()
