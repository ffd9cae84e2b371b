"""What Streamlit's own login needs, made from the arena's settings."""

import hmac
from hashlib import sha256
from typing import Any

from streamlit import config

from arena.errors import ArenaError
from arena.settings import Settings
from shell import settings


def streamlit_secrets() -> dict[str, Any] | None:
    """As `login_secrets`, of the settings in force; from now on every replica signs Streamlit's cookies alike."""
    try:
        config.set_option("server.cookieSecret", cookie_secret(settings()))
        return login_secrets(settings())
    except ArenaError:
        return None  # the page says what is wrong


def login_secrets(chosen: Settings) -> dict[str, Any] | None:
    """The table `[auth]` of Streamlit's secrets; None when the settings name no provider, so that its file serves."""
    login = chosen.login
    if login.server_metadata_url is None or login.client_secret is None:
        return None
    auth = {
        "redirect_uri": login.redirect_uri,
        "cookie_secret": cookie_secret(chosen),
        "client_id": login.client_id,
        "client_secret": login.client_secret.get_secret_value(),
        "server_metadata_url": login.server_metadata_url,
        "client_kwargs": {"scope": login.scope, "prompt": "select_account"},
    }
    return {"auth": auth}


def cookie_secret(chosen: Settings) -> str:
    """What signs Streamlit's cookies: another secret than the arena's, the same in every replica."""
    secret = chosen.cookie_secret().get_secret_value().encode()
    return hmac.new(secret, b"Streamlit's cookies", sha256).hexdigest()
