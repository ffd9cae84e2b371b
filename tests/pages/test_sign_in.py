"""The administrator's password over plain HTTP, against the server that `arena serve` starts."""

import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from argon2 import PasswordHasher

from arena.people import People
from arena.settings import load_settings
from arena.store import Store
from people import ADMIN_COOKIE, SIGN_IN
from sign_in import FORM_COOKIE, STALE
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted

OK, SEE_OTHER, FORBIDDEN = 200, 303, 403
PASSWORD = "correct horse battery"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # checked by its own parameters, so in 1 ms
MODELS = [scripted(name, "Yes.") for name in ("walnut", "hazel")]
ADDRESSES = (f"203.0.113.{number}" for number in count(1))


def with_another_secret(_config: Path, database: str) -> None:
    """As if another replica had been there first."""
    with closing(Store.open(database)) as store:
        People(load_settings(environ={"ARENA_SECRET": "the other replica's"}), store).note_secret()


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]) -> Iterator[ArenaProcess]:
    environ = {**shared_variables, "ARENA_ADMIN_PASSWORD_HASH": WEAK.hash(PASSWORD)}
    folder = tmp_path_factory.mktemp("arena")
    with arena_process(folder, models=MODELS, environ=environ, before=with_another_secret) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: str


@dataclass
class Browser:
    """One browser behind one address; it fills in the form as it stands there."""

    arena: ArenaProcess
    address: str
    form: str = ""
    cookie: str = ""

    def show(self) -> Answer:
        answer = self.ask("GET")
        self.form = re.findall(r'name="form" value="([^"]+)"', answer.body)[0]
        self.cookie = answer.cookies[FORM_COOKIE].split(";")[0]
        return answer

    def send(self, password: str, **headers: str) -> Answer:
        fields = urlencode({"form": self.form, "password": password})
        return self.ask("POST", fields, cookie=f"{FORM_COOKIE}={self.cookie}", **headers)

    def ask(self, method: str, body: str | bytes = "", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.arena.port, timeout=60)
        kind = {"content-type": "application/x-www-form-urlencoded", "x-forwarded-for": self.address}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, SIGN_IN, body=body, headers=kind | named)
        response = connection.getresponse()
        text = response.read().decode()
        cookies = dict(line.split("=", 1) for line in response.headers.get_all("set-cookie", []))
        connection.close()
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, cookies, text)


@pytest.fixture
def browser(arena: ArenaProcess) -> Browser:
    browser = Browser(arena, next(ADDRESSES))
    browser.show()
    return browser


def test_the_form_is_kept_by_nobody_and_framed_by_nobody(browser: Browser) -> None:
    answer = browser.show()

    assert answer.status == OK
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert '<meta name="referrer" content="same-origin">' in answer.body
    assert "HttpOnly" in answer.cookies[FORM_COOKIE]
    assert "SameSite=strict" in answer.cookies[FORM_COOKIE]


def test_the_right_password_begins_a_session(browser: Browser) -> None:
    answer = browser.send(PASSWORD, origin=browser.arena.url)

    assert (answer.status, answer.headers["location"]) == (SEE_OTHER, "/admin")
    cookie = answer.cookies[ADMIN_COOKIE]
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_https_the_cookie_is_secure(browser: Browser) -> None:
    answer = browser.send(PASSWORD, x_forwarded_proto="https")

    assert "; Secure" in answer.cookies[ADMIN_COOKIE]


def test_a_wrong_password_is_said_and_begins_nothing(browser: Browser) -> None:
    answer = browser.send("wrong")

    assert answer.status == FORBIDDEN
    assert "not the password" in answer.body
    assert ADMIN_COOKIE not in answer.cookies
    assert "wrong" not in answer.body.replace("what was wrong", "")


def test_another_sites_page_cannot_post_the_form(browser: Browser) -> None:
    assert browser.send(PASSWORD, origin="https://elsewhere.example").status == FORBIDDEN
    assert browser.send(PASSWORD, origin="null").status == FORBIDDEN


@pytest.mark.parametrize("tamper", ["form", "cookie", "both"])
def test_a_form_that_was_not_made_for_this_browser_is_refused(browser: Browser, tamper: str) -> None:
    other = Browser(browser.arena, browser.address)
    other.show()
    if tamper in {"form", "both"}:
        browser.form = other.form if tamper == "form" else "made.up"
    if tamper in {"cookie", "both"}:
        browser.cookie = "" if tamper == "both" else other.cookie

    answer = browser.send(PASSWORD)

    assert (answer.status, ADMIN_COOKIE in answer.cookies) == (FORBIDDEN, False)
    assert STALE in answer.body


@pytest.mark.parametrize("body", ["", "x" * 20_000, b"\xff\xfe=\xff", "&".join(f"a{n}=1" for n in range(50))])
def test_what_is_no_form_is_refused(browser: Browser, body: str | bytes) -> None:
    answer = browser.ask("POST", body, cookie=f"{FORM_COOKIE}={browser.cookie}")

    assert (answer.status, STALE in answer.body) == (FORBIDDEN, True)


def test_the_sixth_try_is_refused_even_with_the_right_password_and_others_still_come_in(arena: ArenaProcess) -> None:
    attacker, other = Browser(arena, next(ADDRESSES)), Browser(arena, next(ADDRESSES))
    for browser in (attacker, other):
        browser.show()
    for _ in range(5):
        assert "not the password" in attacker.send("guess").body

    locked = attacker.send(PASSWORD)

    assert (locked.status, ADMIN_COOKIE in locked.cookies) == (FORBIDDEN, False)
    assert "15 minutes" in locked.body
    assert other.send(PASSWORD).status == SEE_OTHER
    assert PASSWORD not in arena.log


# Another secret than the database knows: this whole file runs with one


def test_an_arena_with_another_secret_starts_and_says_what_to_do_in_its_log(arena: ArenaProcess) -> None:
    assert arena.log.count("signed with another secret than the one that its database knows") == 1
    assert "arena admin accept-secret" in arena.log
    with urlopen(f"{arena.url}/readyz", timeout=30) as ready:
        assert ready.status == OK
