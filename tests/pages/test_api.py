"""What programs get from the JSON API of the server that `arena serve` starts."""

import asyncio
import http.client
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api import json_api
from api_queries import StandingsQuery
from api_replies import document, refuse
from arena.domain import Seats
from arena.errors import BeingRated, CannotRate, StoreError
from arena.settings import load_settings
from arena.store import Store
from board_filters import FIELDS
from leaderboard import Verdict
from tests.e2e.arena_process import ROOT, ArenaProcess, arena_process, scripted
from tests.e2e.test_screenshots import vote_once

OK, ACCEPTED, NOT_MODIFIED = 200, 202, 304
NOT_FOUND, NOT_ALLOWED, CONFLICT, UNPROCESSABLE, TOO_MANY = 404, 405, 409, 422, 429
ELSEWHERE = "https://elsewhere.example"
# The planted secrets stand where an operator may keep them; none of it is a program's business.
MODELS = [
    scripted("walnut", "Yes.", display_name="Walnut 7B", organisation="Oakland Labs", licence="MIT"),
    scripted("hazel", "No.", system_prompt="planted-system-prompt"),
    scripted("fig", "planted-script"),
    scripted("plum", "Perhaps."),
    scripted("idle", "Zzz."),
]
VOTES = [("walnut", "hazel", Verdict.A)] * 3 + [("hazel", "walnut", Verdict.TIE), ("fig", "plum", Verdict.B)]


def cast(config: Path, database: str) -> None:
    store = Store.open(database)
    store.write.sync_models(load_settings(config=config, environ={}).specs()).result()
    for number, (a, b, verdict) in enumerate(VOTES):
        vote_once(store, f"battle-{number}", Seats(a, b), verdict)
    store.close()


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Client:
    arena: ArenaProcess

    def ask(self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, **query: object) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.arena.port, timeout=30)
        address = (path if path.startswith("/") else f"/api/v1/{path}") + (
            "?" + urlencode(query, doseq=True) if query else ""
        )
        connection.request(method, address, headers=headers or {})
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read().decode())
        connection.close()
        return reply


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]) -> Iterator[Client]:
    environ = {**shared_variables, "ARENA_RATES__NETWORK_READS_PER_MINUTE": "3"}
    with arena_process(tmp_path_factory.mktemp("api"), models=MODELS, before=cast, environ=environ) as arena:
        yield Client(arena)


# What it tells


def test_the_standings_are_those_of_the_page_in_its_order(api: Client) -> None:
    standings = api.ask("standings").json

    assert (standings["method"], standings["votes"], standings["filters"]) == ("bradley_terry", 5, {})
    elo = [line["elo"] for line in standings["models"]]
    assert elo == sorted(elo, reverse=True)
    assert {line["model"] for line in standings["models"]} == {"walnut", "hazel", "fig", "plum", "idle"}
    (walnut,) = (line for line in standings["models"] if line["model"] == "walnut")
    assert (walnut["display_name"], walnut["organisation"], walnut["wins"]) == ("Walnut 7B", "Oakland Labs", 3)


def test_a_filter_and_an_order_are_obeyed_and_told(api: Client) -> None:
    standings = api.ask("standings", order="davidson", ties="no", votes=2, licence="MIT").json

    assert standings["method"] == "davidson"
    assert standings["votes"] == 4
    assert [line["model"] for line in standings["models"]] == ["walnut"]
    assert standings["filters"] == {"order": ["davidson"], "ties": ["no"], "licence": ["MIT"], "votes": ["2"]}


def test_a_past_day_is_told(api: Client) -> None:
    standings = api.ask("standings", until="2024-02-29", since="2001-12-31").json

    assert standings["votes"] == 0
    assert standings["filters"] == {"since": ["2001-12-31"], "until": ["2024-02-29"]}


def test_a_pair_has_its_chance_with_an_interval(api: Client) -> None:
    pair = api.ask("win-probability", a="Walnut 7B", b="hazel").json

    chance = pair["forecast"]["chance"]
    assert (pair["model_a"], pair["model_b"]) == ("walnut", "hazel")
    assert 0.5 < chance["probability"] < 1
    assert chance["lower"] < chance["probability"] < chance["upper"]
    assert pair["record"] == {"wins_a": 3, "wins_b": 0, "ties": 1, "both_bad": 0}


def test_two_that_cannot_be_compared_say_why(api: Client) -> None:
    strangers = api.ask("win-probability", a="walnut", b="plum")
    idle = api.ask("win-probability", a="walnut", b="idle")

    assert (strangers.status, idle.status) == (OK, OK)
    assert strangers.json["forecast"]["chance"] is None
    assert "never met" in strangers.json["forecast"]["reason"]
    assert idle.json["forecast"] is None
    assert "idle has no vote here yet" in idle.json["reason"]


def test_the_models_are_told_with_public_facts_only(api: Client) -> None:
    models = api.ask("models")

    assert [each["model"] for each in models.json["models"]] == ["fig", "hazel", "idle", "plum", "walnut"]
    assert models.json["models"][-1]["display_name"] == "Walnut 7B"
    assert "planted" not in models.text


# What it asks of a program


WRONG = [
    ("standings?languge=de", UNPROCESSABLE, "languge", "did you mean 'language'"),
    ("standings?order=trueskill", UNPROCESSABLE, "order", "it is none of elo, "),
    ("standings?code=maybe", UNPROCESSABLE, "code", "'yes' or 'no'"),
    ("standings?until=2026-02-30", UNPROCESSABLE, "until", "write it like 2026-03-01"),
    ("standings?votes=-1", UNPROCESSABLE, "votes", "write it like 30"),
    ("standings?votes=1&votes=2", UNPROCESSABLE, "votes", "given twice"),
    ("standings?source=nowhere", NOT_FOUND, "source", "there are: arena."),
    ("standings?language=xx", NOT_FOUND, "language", "There is no language 'xx' here"),
    ("standings?organisation=Oakland+Labs&organisation=x", NOT_FOUND, "organisation", "there are: Oakland Labs."),
    ("win-probability?a=walnut", UNPROCESSABLE, "b", "is missing"),
    ("win-probability?a=walnut&b=hazle", NOT_FOUND, "b", "Did you mean 'hazel'?"),
    ("win-probability?a=walnut&b=fig&method=elo", UNPROCESSABLE, "method", "bradley_terry, style"),
    ("models?state=enabled", UNPROCESSABLE, "state", "known here are: none"),
    ("no-such-thing", NOT_FOUND, None, "/api/v1/docs"),
]


@pytest.mark.parametrize(("address", "status", "parameter", "words"), WRONG)
def test_a_problem_names_the_parameter_and_the_remedy(
    api: Client, address: str, status: int, parameter: str | None, words: str
) -> None:
    reply = api.ask(address)

    assert (reply.status, reply.json["status"], reply.json["parameter"]) == (status, status, parameter)
    assert words in reply.json["detail"]
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_nothing_can_be_changed(api: Client, method: str) -> None:
    assert api.ask("standings", method=method).status == NOT_ALLOWED


def test_votes_that_do_not_carry_a_rating_are_a_conflict() -> None:
    error = CannotRate("These votes have no order: choose bradley_terry.")

    reply = asyncio.run(refuse(Request({"type": "http"}), error))

    assert reply.status_code == CONFLICT
    assert json.loads(bytes(reply.body))["detail"] == str(error)


def test_a_fault_of_the_arena_tells_a_program_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    broken = asyncio.run(refuse(Request({"type": "http"}), LookupError("planted")))
    closed = asyncio.run(refuse(Request({"type": "http"}), StoreError("planted")))

    assert (broken.status_code, closed.status_code) == (500, 503)
    assert b"planted" not in bytes(broken.body) + bytes(closed.body)
    assert closed.headers["retry-after"] == "60"
    assert "planted" in caplog.text


def test_whoever_has_the_answer_already_is_told_so(api: Client) -> None:
    first = api.ask("standings")
    tag = first.headers["etag"]

    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again = api.ask("standings", headers={"If-None-Match": known})
        assert (again.status, again.text, again.headers["etag"]) == (NOT_MODIFIED, "", tag)
    assert api.ask("standings", ties="no").headers["etag"] != tag
    assert api.ask("standings", headers={"If-None-Match": '"other"'}).status == OK


def test_a_network_reads_so_often_and_is_told_when_to_go_on(api: Client) -> None:
    mine, yours = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}
    for _ in range(3):
        assert api.ask("models", headers=mine).status == OK

    refused = api.ask("standings", headers=mine)

    assert refused.status == TOO_MANY
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "Your network has read from the API 3 times in the last minute" in refused.json["detail"]
    assert api.ask("standings", headers=yours).status == OK
    assert api.ask("openapi.json", headers=mine).status == OK


def test_any_sites_script_may_read_and_carries_no_cookie(api: Client) -> None:
    read = api.ask("standings", headers={"Origin": ELSEWHERE})
    asked = {
        "Origin": ELSEWHERE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    preflight = api.ask("standings", method="OPTIONS", headers=asked)

    for reply in (read, preflight):
        assert reply.status == OK
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in reply.headers
        assert "set-cookie" not in reply.headers
    assert "ETag" in read.headers["access-control-expose-headers"]
    assert "GET" in preflight.headers["access-control-allow-methods"]


def test_another_sites_script_can_do_nothing_but_read_there(api: Client) -> None:
    posted = api.ask("standings", method="POST", headers={"Origin": ELSEWHERE})
    climbed = api.ask("/api/../_stcore/host-config", headers={"Origin": ELSEWHERE})
    besides = api.ask("/apiary", headers={"Origin": ELSEWHERE})

    assert (posted.status, besides.status) == (403, 403)
    assert climbed.status == NOT_FOUND
    assert "allowedOrigins" not in climbed.text


def test_a_rebound_name_cannot_read(api: Client) -> None:
    assert api.ask("standings", headers={"Host": "rebound.example"}).status == 403


def reading(*, seconds: float, tries: int) -> Response:
    """An answer that is there at the n-th try only."""
    refusals = iter([BeingRated("Davidson is being computed.", share=0.25)] * tries)

    def make() -> str:
        for refusal in refusals:
            raise refusal
        return "{}"

    return asyncio.run(document(Request({"type": "http", "headers": []}), make, wait_seconds=seconds))


def test_a_slow_rating_is_waited_for() -> None:
    assert reading(seconds=30, tries=2).status_code == OK


def test_after_a_while_a_program_is_told_to_ask_again() -> None:
    reply = reading(seconds=0, tries=2)

    assert reply.status_code == ACCEPTED
    assert reply.headers["retry-after"] == "2"
    told = {"detail": "Davidson is being computed. Ask again in 2 seconds.", "share": 0.25}
    assert json.loads(bytes(reply.body)) == told


def test_where_readers_must_log_in_a_program_reads_nothing(tmp_path: Path) -> None:
    with arena_process(tmp_path, models=MODELS, environ={"ARENA_LOGIN__REQUIRED_FOR": "reading"}) as arena:
        replies = [Client(arena).ask(path) for path in ("standings", "win-probability?a=fig&b=plum", "models")]

    assert {reply.status for reply in replies} == {403}
    assert all("log in to read" in reply.json["detail"] for reply in replies)
    assert not any("walnut" in reply.text for reply in replies)


# Its description


def test_the_page_and_the_example_need_nothing_from_elsewhere(api: Client) -> None:
    page = api.ask("docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in page.headers
    assert "/api/v1/win-probability" in page.text
    assert not re.search(r"<script|<link|src=|https?://|\son\w+=", page.text)


def test_the_short_address_leads_to_the_page(api: Client) -> None:
    assert api.ask("/api").headers["location"] == "/api/v1/docs"


def test_the_example_in_the_documents_runs(api: Client, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(ROOT / "docs" / "client.py"))

    example["main"](api.arena.url)

    told = capsys.readouterr().out
    assert "walnut" in told
    assert "Walnut 7B and plum have never met" in told
    assert "not modified" in told


def schemathesis(api: Client, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "schemathesis.toml").write_text('[parameters]\n"query.a" = "walnut"\n"query.b" = "hazel"\n')
    address = f"{api.arena.url}/api/v1/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", address, "--url", f"{api.arena.url}/api", "--no-color"]
    return subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)


def test_schemathesis_finds_nothing(api: Client, tmp_path: Path) -> None:
    run = schemathesis(api, tmp_path, "-n", "25", "--phases", "examples,fuzzing")

    assert run.returncode == 0, run.stdout + run.stderr
    assert "GET /v1/" not in run.stdout.split("WARNINGS")[-1]


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_a_long_search(api: Client, tmp_path: Path) -> None:
    run = schemathesis(api, tmp_path, "-n", "2000")

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_filter_of_the_page_is_one_of_the_api() -> None:
    document = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    assert set(StandingsQuery.model_fields) == set(FIELDS) - {"search"}
    assert all(f"`{name}`" in document for name in StandingsQuery.model_fields)


def test_the_description_has_the_documented_fields() -> None:
    schemas = json_api().openapi()["components"]["schemas"]
    document = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")

    def documented(heading: str) -> set[str]:
        (section,) = (part for part in re.split(r"^#+ ", document, flags=re.MULTILINE) if part.startswith(heading))
        return set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))

    assert set(schemas["Standings"]["properties"]) == documented("The leaderboard page: ⬇️ JSON\n")
    assert set(schemas["Line"]["properties"]) == documented("Each entry of `models`\n")
    assert set(schemas["Pair"]["properties"]) == documented("A pair: `arena predict A B --json`\n")
    assert set(schemas["Forecast"]["properties"]) == documented("`forecast`\n")
