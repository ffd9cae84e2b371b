"""Who is there, and what that lets them do: the administrator's password, logins elsewhere, and how both end."""

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from arena.errors import DecisionRefused, SignInRefused
from arena.passwords import credential_of, is_password
from arena.roles import Person, Role, anonymous_role
from arena.secret_file import fingerprint
from arena.settings import Settings
from arena.store import KnownSecret, Store, StoredSession, utc_now

log = logging.getLogger(__name__)

ADMINISTRATOR: Final = "administrator"
TRIES: Final = 5
TRIES_EVERYWHERE: Final = 50
LOCKED_FOR: Final = timedelta(minutes=15)
HERE: Final = "this machine"
EVERYWHERE: Final = "everywhere"
# A session is written to the database when it was last seen so long ago, not at every click.
SEEN_EVERY: Final = timedelta(minutes=1)

NOT_SET_UP: Final = (
    "No password of the administrator is set: on the machine that runs the arena, type `arena admin password`."
)
WRONG: Final = "This is not the password of the administrator."
TOO_OLD: Final = "Your session has ended, since it began so long ago: sign in again. Nothing was changed."
IDLE: Final = "Your session has ended, since nothing happened for a while: sign in again. Nothing was changed."
SIGNED_OUT: Final = "Your session has ended, since you signed out: sign in again. Nothing was changed."
NEW_PASSWORD: Final = "Your session has ended, since the password was changed: sign in again. Nothing was changed."  # noqa: S105 - a sentence

SIGNED_OTHERWISE: Final = (
    "The cookies of this arena are signed with another secret than the one that its database knows since "
    "{since:%Y-%m-%d %H:%M} UTC: whoever has a cookie of that one is a new voter here, without open battles and signed "
    "out. If other replicas run on this database, set ARENA_SECRET to the same value as for them; if the database was "
    "moved or restored, bring its ARENA_SECRET or the file `secret` along; then start this arena again. If the secret "
    "was changed on purpose, run `arena admin accept-secret` with the new one."
)


class People:
    """Tells who somebody is, anew at each action; safe to call from many threads and in several processes.

    Args:
        settings: what the operator decided.
        store: where sessions and tries are kept, for all processes together.
        clock: tells the time in UTC.
    """

    def __init__(self, settings: Settings, store: Store, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._membership = settings.login.membership()
        self._longest = timedelta(hours=settings.login.session_hours)
        self._idle = timedelta(minutes=settings.login.idle_minutes)

    def anonymous(self, voter: str, *, why: str | None = None) -> Person:
        """Somebody who has not logged in."""
        return Person(id=voter, role=anonymous_role(self._settings.login.required_for), why=why)

    # The administrator's password

    def has_password(self) -> bool:
        """Whether anybody can sign in with one."""
        return self._settings.password_hash() is not None

    def sign_in(self, password: str, *, network: str | None) -> str:
        """Begin a session of the administrator; the token that the browser keeps.

        Every try is counted before the password is looked at: after five wrong ones from one network, or fifty from
        everywhere, within fifteen minutes, all are refused for fifteen minutes.

        Raises:
            SignInRefused: the password is wrong, none is set, or there were too many wrong ones.
            SettingsError: the file with the password's hash cannot be used.
        """
        known = self._settings.password_hash()
        if known is None:
            raise SignInRefused(NOT_SET_UP)
        scopes = _scopes(network)
        try:
            self._store.write.admin.count_try(scopes, window=LOCKED_FOR).result()
        except SignInRefused:
            self._store.write.count("sign-in locked out").result()
            raise
        if not is_password(password, of=known):
            self._store.write.count("wrong password").result()
            log.warning("a wrong password of the administrator", extra={"network": network or HERE})
            raise SignInRefused(WRONG)
        self._store.write.admin.take_back_try(scopes)
        token = secrets.token_urlsafe(32)
        self._store.write.admin.begin_session(
            _digest(token), ADMINISTRATOR, credential=credential_of(known), keep=self._longest
        ).result()
        return token

    def administrator(self, token: str, visitor: Person) -> Person:
        """The administrator, if `token` is that of a session that may be used; else the visitor, with what ended it."""
        session = self._store.read.admin.session(_digest(token))
        if session is None or session.person != ADMINISTRATOR:
            return visitor
        why = self._ended(session) or self._replaced(session)
        if why is not None:
            return replace(visitor, why=why)
        self._see(session)
        return Person(id=session.person, role=Role.ADMINISTRATOR, is_known=True, votes_as=visitor.voter)

    # Logins elsewhere

    def logged_in(self, claims: Mapping[str, Any], voter: str) -> Person:
        """Whoever a provider of OpenID Connect says it is; `voter` once the login has ended, and says why.

        The voter's id is a keyed hash of issuer and subject: no name and no e-mail address is stored.
        """
        issued_at = _moment(claims.get("iat"))
        if issued_at is None or self._clock() - issued_at > self._longest:
            return self.anonymous(voter, why=TOO_OLD)
        session = self._session_of(claims)
        if (why := self._ended(session)) is not None:
            return self.anonymous(voter, why=why)
        self._see(session)
        return Person(id=session.person, role=self._membership.role_of(claims), is_known=True)

    # All

    def sign_out(self, person: Person) -> None:
        """End every session of somebody, in every browser."""
        if person.is_known:
            self._store.write.admin.end_sessions(person.id).result()

    # The secret that signs cookies

    def note_secret(self) -> str | None:
        """Compare the secret with the one that the database knows, which is this one if it knew none.

        Returns:
            What is wrong and what to do, when there is another; replicas that differ lose each other's visitors.
        """
        return self._if_another(self._store.write.admin.note_secret(self._fingerprint()).result())

    def secret_warning(self) -> str | None:
        """The same of this moment; changes nothing."""
        return self._if_another(self._store.read.admin.secret())

    def accept_secret(self, *, actor: str, reason: str) -> bool:
        """Let this arena's secret be the one that the database knows; False when it is already.

        Raises:
            DecisionRefused: no reason is given.
        """
        if not reason.strip():
            raise DecisionRefused("Say why in a few words: the reason is kept in the audit log. Nothing was changed.")
        return self._store.write.admin.accept_secret(self._fingerprint(), actor=actor, reason=reason.strip()).result()

    def _if_another(self, known: KnownSecret | None) -> str | None:
        is_known = known is None or hmac.compare_digest(known.fingerprint, self._fingerprint())
        return None if known is None or is_known else SIGNED_OTHERWISE.format(since=known.since)

    def _fingerprint(self) -> str:
        return fingerprint(self._settings.cookie_secret().get_secret_value())

    def _session_of(self, claims: Mapping[str, Any]) -> StoredSession:
        """One login is one session, in however many tabs and processes it is shown."""
        voter = self._keyed("login", claims.get("iss"), claims.get("sub"))
        session_id = _digest(self._keyed("session", *(claims.get(key) for key in ("iss", "sub", "iat", "nonce"))))
        session = self._store.read.admin.session(session_id)
        if session is None:
            self._store.write.admin.begin_login(session_id, voter).result()
            session = self._store.read.admin.session(session_id)
        assert session is not None, "it was stored just now"  # noqa: S101 - for the type checker
        return session

    def _ended(self, session: StoredSession) -> str | None:
        now = self._clock()
        if session.ended_at is not None:
            return SIGNED_OUT
        if now - session.started_at > self._longest:
            return TOO_OLD
        return IDLE if now - session.seen_at > self._idle else None

    def _replaced(self, session: StoredSession) -> str | None:
        known = self._settings.password_hash()
        is_current = known is not None and hmac.compare_digest(session.credential, credential_of(known))
        return None if is_current else NEW_PASSWORD

    def _see(self, session: StoredSession) -> None:
        if self._clock() - session.seen_at > min(SEEN_EVERY, self._idle / 2):
            self._store.write.admin.see_session(session.id)

    def _keyed(self, *parts: object) -> str:
        """22 characters that nobody can turn back, and nobody without the arena's secret can make."""
        secret = self._settings.cookie_secret().get_secret_value().encode()
        return hmac.new(secret, repr(parts).encode(), sha256).hexdigest()[:22]


def _scopes(network: str | None) -> Mapping[str, int]:
    """Whoever sits at the machine itself can always come in, whatever others try from everywhere."""
    return {HERE: TRIES} if network is None else {network: TRIES, EVERYWHERE: TRIES_EVERYWHERE}


def _digest(token: str) -> str:
    """What is stored of a token: whoever reads the database cannot sign in with it."""
    return sha256(token.encode()).hexdigest()


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None
