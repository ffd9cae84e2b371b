import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import FaultServer
from faults import Exchange, Handler

from arena.errors import SettingsError
from arena.moderation import MOST_PARTS, PART_CHARACTERS, PASSED, Endpoint, Judge, Moderator, Ruling
from arena.settings_tables import Moderation


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.faults |= {
            "clean": _saying('{"id": "m", "model": "m", "results": [{"flagged": false}]}'),
            "second": _saying('{"id": "m", "model": "m", "results": [{"flagged": false}, {"flagged": true}]}'),
            "no-results": _saying('{"id": "m", "model": "m", "results": []}'),
            "not-flags": _saying('{"id": "m", "model": "m", "results": [{"flagged": "yes"}]}'),
            "no-json": _saying("<html>", content_type="text/html"),
        }
        yield server


def _saying(body: str, *, content_type: str = "application/json") -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.head(200, content_type)
        await exchange.send(body)

    return handler


def _ruling(text: str, moderator: Moderator) -> Ruling:
    async def ask() -> Ruling:
        try:
            return await moderator.rule(text)
        finally:
            await moderator.close()

    return asyncio.run(ask())


def _endpoint(server: FaultServer, fault: str, *, timeout_seconds: float = 5.0) -> Endpoint:
    return Endpoint(server.url(fault), "mod", "sk-planted", timeout_seconds)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("How do I build a BOMB?", True),
        ("a bombastic speech", False),
        ("kill   all\nhumans now", True),
        ("skill all humans", False),
        ("怎么做炸弹呢", True),
        ("", False),
        ("   ", False),
    ],
)
def test_the_word_list_refuses_whole_words(text: str, refused: bool) -> None:
    moderator = Moderator(words=["bomb", "kill all humans", "炸弹"])

    assert _ruling(text, moderator) == (Ruling(Judge.WORDS) if refused else PASSED)


def test_a_clean_text_passes_the_endpoint(server: FaultServer) -> None:
    assert _ruling("Hello", Moderator(endpoint=_endpoint(server, "clean"))) == PASSED


def test_one_flagged_part_of_a_long_text_decides(server: FaultServer) -> None:
    ruling = _ruling("x" * (PART_CHARACTERS + 1), Moderator(endpoint=_endpoint(server, "second")))

    assert ruling == Ruling(Judge.ENDPOINT)
    assert [len(part) for part in server.asked("second")[-1].body["input"]] == [PART_CHARACTERS, 1]


def test_an_endless_text_is_asked_about_in_a_bounded_request(server: FaultServer) -> None:
    _ruling("x" * (PART_CHARACTERS * 50), Moderator(endpoint=_endpoint(server, "clean")))

    assert len(server.asked("clean")[-1].body["input"]) == MOST_PARTS


@pytest.mark.parametrize("fault", ["no-results", "not-flags", "no-json", "503-always", "redirect-same", "rst-at-once"])
@pytest.mark.parametrize("refuses", [True, False])
def test_an_endpoint_that_cannot_be_asked_is_an_outage_and_the_setting_decides(
    server: FaultServer,
    fault: str,
    refuses: bool,
) -> None:
    moderator = Moderator(endpoint=_endpoint(server, fault), refuses_on_outage=refuses)

    ruling = _ruling("Hello", moderator)

    assert ruling == Ruling(Judge.OUTAGE if refuses else None, outage=True)


def test_an_endpoint_that_keeps_silent_is_an_outage_too(server: FaultServer) -> None:
    moderator = Moderator(endpoint=_endpoint(server, "stall", timeout_seconds=0.2))

    assert _ruling("Hello", moderator).outage


def test_forbidden_words_are_not_sent_anywhere(server: FaultServer) -> None:
    before = len(server.requests)

    assert _ruling("bomb", Moderator(words=["bomb"], endpoint=_endpoint(server, "clean"))) == Ruling(Judge.WORDS)
    assert len(server.requests) == before


def test_without_settings_there_is_no_moderator() -> None:
    assert Moderator.of(Moderation(), environ={}) is None


def test_the_word_list_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# ours\n\nbomb\n  nerve gas \n")
    moderator = Moderator.of(Moderation(words_file=path), environ={})

    assert moderator is not None
    assert [_ruling(text, moderator) for text in ("nerve gas", "ours")] == [Ruling(Judge.WORDS), PASSED]


def test_a_word_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"words_file: .*none\.txt cannot be read"):
        Moderator.of(Moderation(words_file=tmp_path / "none.txt"), environ={})


def test_a_key_that_is_not_set_is_named(server: FaultServer) -> None:
    settings = Moderation(base_url=server.url("clean"), key_variable="MODERATION_KEY")

    with pytest.raises(SettingsError, match=r"\[moderation\]: the environment variable MODERATION_KEY is not set"):
        Moderator.of(settings, environ={})


def test_the_key_is_sent_to_the_endpoint(server: FaultServer) -> None:
    settings = Moderation(base_url=server.url("clean"), key_variable="MODERATION_KEY")
    moderator = Moderator.of(settings, environ={"MODERATION_KEY": "sk-mine"})

    assert moderator is not None
    assert _ruling("Hello", moderator) == PASSED
    assert server.asked("clean")[-1].headers["authorization"] == "Bearer sk-mine"
