"""What the operator reads: no log record of this process carries a secret or moves the terminal's cursor.

The records themselves are made harmless, so it does not matter which library writes one and whose handler shows it.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from arena.errors import SettingsError
from arena.providers import without_keys
from arena.settings import Settings
from arena.terminal import visible

log = logging.getLogger(__name__)

request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""Whose work this is: set where a request comes in, and taken over by the tasks that it starts."""

SHORTEST_SECRET: Final = 8  # shorter values of variables are words such as "true"
_SECRET_NAME = re.compile(r".*(?:KEYS?|TOKEN|SECRET|PASSWORD(?:_HASH)?|PASSWD|CREDENTIALS?)(?:_\d+)?", re.IGNORECASE)


def secrets_of(settings: Settings | None, *, environ: Mapping[str, str]) -> frozenset[str]:
    """Every secret that this process can know: models' keys, the cookie's secret, the database's password.

    Variables count when a model names them, or when their names say what they hold; without settings only the latter.
    """
    named = {spec.key_variable for spec in settings.specs()} if settings else set()
    found = {
        value.strip()
        for name, value in environ.items()
        if name in named or (_SECRET_NAME.fullmatch(name) and len(value) >= SHORTEST_SECRET)
    }
    return frozenset(found.union(_secrets_in(settings)) if settings else found)


def guard_logs(secrets: Collection[str]) -> None:
    """From now on no log record shows one of `secrets`, anything that looks like a key, or a control character.

    Errors that nobody caught, in threads and in finalizers, are logged instead of printed. Calling it again replaces
    the secrets.
    """
    current = logging.getLogRecordFactory()
    make = current.make if isinstance(current, _HarmlessRecords) else current
    logging.setLogRecordFactory(_HarmlessRecords(make, secrets))
    threading.excepthook = lambda broken: _log_uncaught(broken.exc_type, broken.exc_value, broken.exc_traceback)
    sys.unraisablehook = lambda broken: _log_uncaught(broken.exc_type, broken.exc_value, broken.exc_traceback)


def log_to_terminal() -> None:
    """Show the arena's own events, and everybody's warnings: to people as lines, to programs as JSON."""
    handler = logging.StreamHandler()
    read_by_people = handler.stream.isatty()
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S") if read_by_people else JsonLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger("arena").setLevel(logging.INFO)
    # uvicorn sets its own level later; a filter stays.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno >= logging.WARNING)


def speak_with_one_voice() -> None:
    """Let the handlers that libraries have made for themselves write JSON, too, where `log_to_terminal` does."""
    root = logging.getLogger()
    ours = [handler.formatter for handler in root.handlers if isinstance(handler.formatter, JsonLines)]
    others = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    for handler in (handler for logger in (root, *others) for handler in logger.handlers):
        if ours and type(handler) is logging.StreamHandler:  # not what writes into a file, or collects
            handler.setFormatter(ours[0])


class JsonLines(logging.Formatter):
    """One JSON object per event: `at`, `level`, `logger`, `message`, its `extra` fields, `error` with the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        make = logging.getLogRecordFactory()
        harmless = make.harmless if isinstance(make, _HarmlessRecords) else visible
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        facts: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
            **({"error": record.exc_text} if record.exc_text else {}),
        }
        plain = {key: value if isinstance(value, int | float | None) else str(value) for key, value in facts.items()}
        return json.dumps({key: harmless(value) if isinstance(value, str) else value for key, value in plain.items()})


class Lines(logging.Formatter):
    """One line per event, with its `extra` fields behind it; a traceback follows below."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """The line itself."""
        make = logging.getLogRecordFactory()
        harmless = make.harmless if isinstance(make, _HarmlessRecords) else visible
        extra = (f"{key}={value}" for key, value in _extra(record).items())
        return harmless(" ".join([super().formatMessage(record), *extra])).replace("\n", "\\n")


class _HarmlessRecords:
    """Makes log records whose message and traceback are harmless; `extra` fields come later, see `Lines`."""

    def __init__(self, make: Callable[..., logging.LogRecord], secrets: Collection[str]) -> None:
        self.make = make
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        self._secrets = sorted(forms, key=len, reverse=True)

    def __call__(self, *args: object, **more: object) -> logging.LogRecord:
        record = self.make(*args, **more)
        if (request := request_id.get()) is not None:
            record.request_id = request
        if isinstance(record.args, tuple):  # one by one, since some formatters look at them
            record.args = tuple(self.harmless(each) if isinstance(each, str) else each for each in record.args)
        message = _message(record)
        harmless = self.harmless(message or f"{record.msg} {record.args}")
        if harmless != message:
            record.msg, record.args = harmless, ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self.harmless(_PLAIN.formatException(record.exc_info))
        return record

    def harmless(self, text: str) -> str:
        """`text` without secrets and unseen characters."""
        return visible(without_keys(text, *self._secrets))


_PLAIN: Final = logging.Formatter()
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def _extra(record: logging.LogRecord) -> Mapping[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _USUAL}


def _message(record: logging.LogRecord) -> str | None:
    """The event in words; None when message and arguments do not fit, which logging would print with both of them."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return None


def _secrets_in(settings: Settings) -> Iterator[str]:
    with suppress(SettingsError):  # said elsewhere
        yield settings.cookie_secret().get_secret_value()
    with suppress(ValueError):
        password = urlsplit(settings.database_url).password
        yield from {password, unquote(password)} if password else ()


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if kind is not SystemExit:
        log.error("an error that nobody caught", exc_info=(kind, error or kind(), trace))
