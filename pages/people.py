"""Who looks at this page: told anew at each run and at each click, from cookies that the server has signed."""

import logging
from typing import Any, Final

import streamlit as st
from itsdangerous import BadSignature, Signer

from arena.errors import ArenaError, NotAllowed
from arena.network import network_of
from arena.people import People
from arena.roles import Action, Person, require
from shell import session, settings, the_arena, voter_cookies
from voters import COOKIE

log = logging.getLogger(__name__)

ADMIN_COOKIE: Final = "arena_admin"
SIGN_IN: Final = "/admin/sign-in"


def me() -> Person:
    """Whoever this is: by login, else by the voter's cookie, and the administrator by the password's session."""
    people = the_arena().people
    cookie = voter_cookies().read(st.context.cookies.get(COOKIE)) or session().voter
    claims = login_claims()
    person = people.anonymous(cookie) if claims is None else people.logged_in(claims, cookie)
    token = token_in(st.context.cookies.get(ADMIN_COOKIE))
    return person if token is None else people.administrator(token, person)


def acting(action: Action) -> Person:
    """Whoever this is, for something that changes something.

    Raises:
        NotAllowed: the role is not enough, or the login of before has ended: then nothing is done in another name.
    """
    person = me()
    if person.why is not None and not person.is_known and login_claims() is not None:
        raise NotAllowed(person.why)
    require(person, action)
    return person


def can_log_in() -> bool:
    """Whether a provider of logins is configured, in the arena's settings or in Streamlit's own file."""
    return settings().login.server_metadata_url is not None or (
        st.secrets.load_if_toml_exists() and "auth" in st.secrets
    )


def login_claims() -> dict[str, Any] | None:
    """What the provider says of who has logged in; None when nobody has."""
    claims = st.user.to_dict()
    return claims if claims.get("is_logged_in") is True else None


def network() -> str | None:
    """Where the visitor comes from, as a keyed hash; None from this machine."""
    forwarded = st.context.headers.get_all("x-forwarded-for")
    secret = settings().cookie_secret().get_secret_value()
    return network_of(st.context.ip_address, forwarded, proxies=settings().trusted_proxies, secret=secret)


def token_in(value: str | None) -> str | None:
    """The session's token in the administrator's cookie; None for what was not signed here."""
    try:
        return tokens().unsign(value or "").decode()
    except (BadSignature, UnicodeDecodeError):
        return None


def tokens() -> Signer:
    """What signs and checks the administrator's cookie."""
    return Signer(settings().cookie_secret().get_secret_value(), salt=ADMIN_COOKIE)


def warn_of_another_secret(people: People) -> None:
    """Say so if replicas that differ would lose each other's visitors; it stops nobody, or no secret could change."""
    try:
        if (warning := people.note_secret()) is not None:
            log.warning(warning)
    except ArenaError:
        log.exception("the secret that signs cookies could not be compared with the one that the database knows")
