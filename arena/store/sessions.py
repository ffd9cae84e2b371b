"""Who is signed in, and how many passwords were tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, func, insert, select, update

from arena.errors import SignInRefused
from arena.numerals import count
from arena.store.audit import ERASED, record
from arena.store.ballots import note_login
from arena.store.people_schema import SessionRow, SignInRow
from arena.store.schema import table_of

SESSION, SIGN_IN = table_of(SessionRow), table_of(SignInRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """One login of one browser; `ended_at` is None while it may be used."""

    id: str
    person: str
    credential: str
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None


def find(connection: Connection, session_id: str) -> StoredSession | None:
    """The session of that id, ended or not."""
    row = connection.execute(select(*SESSION.c).where(SESSION.c.id == session_id)).one_or_none()
    return None if row is None else StoredSession(**row._mapping)  # noqa: SLF001 - public API of Row


def begin(connection: Connection, session_id: str, person: str, *, credential: str, now: datetime) -> None:
    """Store a sign-in with a password."""
    _insert(connection, session_id, person, credential=credential, now=now)
    record(connection, actor=person, action="signed in", target=person, now=now)


def begin_login(connection: Connection, session_id: str, voter: str, *, now: datetime) -> None:
    """Store a login elsewhere, unless it is known: two tabs may bring it at once."""
    if find(connection, session_id) is None:
        _insert(connection, session_id, voter, credential="", now=now)
        note_login(connection, voter, now=now)


def see(connection: Connection, session_id: str, *, now: datetime) -> None:
    """Note that a session was used just now."""
    connection.execute(update(SESSION).where(SESSION.c.id == session_id).values(seen_at=now))


def forget(connection: Connection, person: str, *, now: datetime) -> None:
    """End all sessions of somebody who is erased; that they ended stays, so that no old cookie opens them again."""
    ended = {"person": ERASED, "ended_at": func.coalesce(SESSION.c.ended_at, now)}
    connection.execute(update(SESSION).where(SESSION.c.person == person).values(ended))


def end(connection: Connection, person: str, *, now: datetime) -> int:
    """End all sessions of a person; how many were open."""
    is_open = (SESSION.c.person == person, SESSION.c.ended_at.is_(None))
    ended = connection.execute(update(SESSION).where(*is_open).values(ended_at=now)).rowcount
    if ended:
        record(connection, actor=person, action="signed out", target=person, now=now)
    return ended


def forget_before(connection: Connection, before: datetime) -> None:
    """Drop what began so long ago that it cannot be used any more."""
    connection.execute(delete(SESSION).where(SESSION.c.started_at < before))


def count_try(connection: Connection, most: Mapping[str, int], *, window: timedelta, now: datetime) -> None:
    """Count one try to sign in, in each scope, before anybody looks at the password.

    So tries in parallel cannot together pass a bound. Tries that are refused are not counted: a lock-out ends.

    Raises:
        SignInRefused: a scope has had its tries; says when to come back.
    """
    tried = {scope: _tries(connection, scope, since=now - window) for scope in sorted(most)}
    for scope, row in tried.items():
        if row is not None and row.tries >= most[scope]:
            minutes = max(1, -(-int((row.tried_at + window - now).total_seconds()) // 60))
            raise SignInRefused(
                f"Too many wrong passwords: nobody can sign in from here for {count(minutes, 'minute')}, "
                "not even with the right one."
            )
    for scope, row in tried.items():
        if row is None:
            connection.execute(delete(SIGN_IN).where(SIGN_IN.c.scope == scope))
            connection.execute(insert(SIGN_IN), {"scope": scope, "tries": 1, "tried_at": now})
        else:
            values = {"tries": SIGN_IN.c.tries + 1, "tried_at": now}
            connection.execute(update(SIGN_IN).where(SIGN_IN.c.scope == scope).values(values))


def take_back_try(connection: Connection, scopes: Mapping[str, int]) -> None:
    """The password was right: it was no wrong try."""
    fewer = case((SIGN_IN.c.tries > 0, SIGN_IN.c.tries - 1), else_=0)
    connection.execute(update(SIGN_IN).where(SIGN_IN.c.scope.in_(sorted(scopes))).values(tries=fewer))


@dataclass(frozen=True, slots=True)
class _Tries:
    tries: int
    tried_at: datetime


def _tries(connection: Connection, scope: str, *, since: datetime) -> _Tries | None:
    """The tries of a scope whose last one was after `since`; whoever looks holds them until the transaction ends."""
    found = select(SIGN_IN.c.tries, SIGN_IN.c.tried_at).where(SIGN_IN.c.scope == scope).with_for_update()
    row = connection.execute(found).one_or_none()
    return None if row is None or row.tried_at <= since else _Tries(row.tries, row.tried_at)


def _insert(connection: Connection, session_id: str, person: str, *, credential: str, now: datetime) -> None:
    row = {"id": session_id, "person": person, "credential": credential, "started_at": now, "seen_at": now}
    connection.execute(insert(SESSION), row)
