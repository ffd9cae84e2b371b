"""What administrators and logins read and change: `store.read.admin` and `store.write.admin`."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from arena.store import audit, cookie_secrets, elo_settings, model_settings, sessions, spending
from arena.store.board import read_board
from arena.store.budgets import EVERYBODY, spent
from arena.store.cookie_secrets import KnownSecret
from arena.store.model_settings import ModelSetting
from arena.store.rows import Spending
from arena.store.sessions import StoredSession
from arena.store.spending import ModelSpending
from leaderboard.ratings import EloSettings

T = TypeVar("T")


class Run(Protocol):
    """Queues an operation; its future resolves after COMMIT."""

    def __call__(self, operation: Callable[[Connection, datetime], T], /) -> Future[T]:  # noqa: D102 - see above
        ...


class AdminWriter:
    """As `Writer`, whose queue it shares."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def set_model(self, name: str, setting: ModelSetting, *, actor: str) -> Future[None]:
        """Decide about a model for all processes, above the settings file.

        Raises:
            UnknownModel: there is none of that name; nothing is changed.
        """
        return self._run(
            lambda connection, now: model_settings.set_model(connection, name, setting, actor=actor, now=now)
        )

    def change_elo(self, elo: EloSettings, *, actor: str, reason: str | None = None) -> Future[None]:
        """Fold every vote again with other settings."""
        return self._run(
            lambda connection, now: elo_settings.change_elo(connection, elo, actor=actor, reason=reason, now=now)
        )

    def begin_session(self, session_id: str, person: str, *, credential: str, keep: timedelta) -> Future[None]:
        """Store a sign-in with a password, and drop sessions older than `keep`."""

        def begin(connection: Connection, now: datetime) -> None:
            sessions.forget_before(connection, now - keep)
            sessions.begin(connection, session_id, person, credential=credential, now=now)

        return self._run(begin)

    def begin_login(self, session_id: str, voter: str) -> Future[None]:
        """Store a login elsewhere, and that the voter logged in; what is known stays as it is."""
        return self._run(lambda connection, now: sessions.begin_login(connection, session_id, voter, now=now))

    def see_session(self, session_id: str) -> Future[None]:
        """Note that a session was used just now."""
        return self._run(lambda connection, now: sessions.see(connection, session_id, now=now))

    def end_sessions(self, person: str) -> Future[int]:
        """End all sessions of a person; how many were open."""
        return self._run(lambda connection, now: sessions.end(connection, person, now=now))

    def count_try(self, most: Mapping[str, int], *, window: timedelta) -> Future[None]:
        """Count a try to sign in, in each scope up to its bound.

        Raises:
            SignInRefused: a scope has had its tries.
        """
        return self._run(lambda connection, now: sessions.count_try(connection, most, window=window, now=now))

    def take_back_try(self, scopes: Mapping[str, int]) -> Future[None]:
        """Count the last try off again: it was none."""
        return self._run(lambda connection, _now: sessions.take_back_try(connection, scopes))

    def note_secret(self, fingerprint: str) -> Future[KnownSecret]:
        """Note which secret signs cookies, unless the database knows one; the one that it knows afterwards."""
        return self._run(lambda connection, now: cookie_secrets.note(connection, fingerprint, now=now))

    def accept_secret(self, fingerprint: str, *, actor: str, reason: str) -> Future[bool]:
        """Let another secret be the one that is known; False when it is already."""
        return self._run(
            lambda connection, now: cookie_secrets.accept(connection, fingerprint, actor=actor, reason=reason, now=now)
        )


class AdminQueries:
    """As `Queries`, whose connections it shares."""

    def __init__(self, look: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._look = look

    def session(self, session_id: str) -> StoredSession | None:
        """A session, ended or not."""
        with self._look() as connection:
            return sessions.find(connection, session_id)

    def secret(self) -> KnownSecret | None:
        """Which secret signs cookies; None before the first start."""
        with self._look() as connection:
            return cookie_secrets.known(connection)

    def model_settings(self) -> Mapping[str, ModelSetting]:
        """What was decided about models."""
        with self._look() as connection:
            return model_settings.model_settings(connection)

    def elo(self) -> EloSettings:
        """The settings of the live board."""
        with self._look() as connection:
            return read_board(connection).elo

    def spent_today(self, *, now: datetime) -> Spending:
        """What everybody together has spent and reserved on this UTC day."""
        with self._look() as connection:
            return spent(connection, EVERYBODY, now=now)

    def spending(self, *, days: int, now: datetime) -> tuple[ModelSpending, ...]:
        """What each model's attempts came to on each of the last UTC days; today first."""
        with self._look() as connection:
            return spending.spending(connection, days=days, now=now)

    def audit_page(self, *, before: int | None, limit: int) -> audit.AuditPage:
        """The newest entries of the audit log, or those before a number, with the head of its chain."""
        with self._look() as connection:
            return audit.page(connection, before=before, limit=limit)

    def audit_head(self) -> audit.AuditHead:
        """Where the audit log's chain stands."""
        with self._look() as connection:
            return audit.head(connection)

    def check_audit(self) -> audit.AuditHead:
        """Recompute the audit log's chain.

        Raises:
            StoreCorrupt: names the first entry that was changed, or after which one is missing.
        """
        with self._look() as connection:
            return audit.check(connection)
