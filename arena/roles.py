"""Who may do what: pure. Every check of a role asks `may`; nothing else compares roles."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from arena.errors import NotAllowed

GROUP: Final = "group:"


class Role(StrEnum):
    """What somebody is in this arena; each may do what the ones before may."""

    OUTSIDER = "outsider"
    VIEWER = "viewer"
    VOTER = "voter"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What roles are asked for."""

    READ = "read"
    ASK = "ask"
    VOTE = "vote"
    ADMINISTER = "administer"


class LoginFor(StrEnum):
    """What a visitor must have logged in for."""

    NOTHING = "nothing"
    VOTING = "voting"
    READING = "reading"


LEAST: Final[Mapping[Action, Role]] = {
    Action.READ: Role.VIEWER,
    Action.ASK: Role.VOTER,
    Action.VOTE: Role.VOTER,
    Action.ADMINISTER: Role.ADMINISTRATOR,
}
_ORDER: Final = tuple(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks: `id` stands in the audit log, `voter` owns battles and votes; `is_known` after a login or sign-in.

    `votes_as` is a voter's id where that is another one; `why` says what ended a login that was valid before, None
    when nothing did.
    """

    id: str
    role: Role
    is_known: bool = False
    votes_as: str | None = None
    why: str | None = None

    @property
    def voter(self) -> str:
        """Who owns the battles."""
        return self.votes_as or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who gets which role after a login: e-mail addresses, or `group:` and a group's name; all without regard to case.

    Who is on no list may vote while `voters` is empty, else look while `viewers` is empty, else nothing. An e-mail
    address counts when its provider says that it was verified, or with `trust_unverified_email`.
    """

    administrators: tuple[str, ...] = ()
    voters: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    group_claim: str = "groups"
    trust_unverified_email: bool = False

    def role_of(self, claims: Mapping[str, Any]) -> Role:
        """The highest role that the claims of a login give."""
        words = self._words(claims)
        if _meet(words, self.administrators):
            return Role.ADMINISTRATOR
        if _meet(words, self.voters):
            return Role.VOTER
        if _meet(words, self.viewers):
            return Role.VIEWER
        if not self.voters:
            return Role.VOTER
        return Role.OUTSIDER if self.viewers else Role.VIEWER

    def _words(self, claims: Mapping[str, Any]) -> frozenset[str]:
        groups = claims.get(self.group_claim)
        listed = groups if isinstance(groups, list | tuple) else [groups]
        words = {f"{GROUP}{group}".casefold() for group in listed if isinstance(group, str) and group}
        email = claims.get("email")
        # Whoever may choose any address at a provider that asks for no proof would choose an administrator's.
        is_proven = claims.get("email_verified") is True or self.trust_unverified_email
        if isinstance(email, str) and email and is_proven:
            words.add(email.casefold())
        return frozenset(words)


def may(role: Role, action: Action) -> bool:
    """Whether a role is enough for an action."""
    return _ORDER.index(role) >= _ORDER.index(LEAST[action])


def require(person: Person, action: Action) -> None:
    """Let pass who may.

    Raises:
        NotAllowed: the role is not enough; says what is missing.
    """
    if may(person.role, action):
        return
    if person.why is not None:
        raise NotAllowed(person.why)
    match action:
        case Action.ADMINISTER:
            raise NotAllowed("Only an administrator may do that: sign in on the admin page.")
        case Action.READ | Action.ASK | Action.VOTE if person.is_known:
            raise NotAllowed(f"Your role here is {person.role}: ask the administrator for a role that may {action}.")
        case Action.READ | Action.ASK | Action.VOTE:
            raise NotAllowed(f"This arena wants to know who is there: log in to {action}.")


def anonymous_role(login_for: LoginFor) -> Role:
    """What somebody is who has not logged in."""
    match login_for:
        case LoginFor.NOTHING:
            return Role.VOTER
        case LoginFor.VOTING:
            return Role.VIEWER
        case LoginFor.READING:
            return Role.OUTSIDER


def _meet(words: frozenset[str], listed: Collection[str]) -> bool:
    return not words.isdisjoint(word.casefold() for word in listed)
