"""Only the administrator's file says where a model is asked: nothing that a visitor sends can name an address."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from streamlit.testing.v1 import AppTest

import shell
from arena.service import Arena
from shell import open_arena

OpenPage = Callable[..., AppTest]
PAGES_FOLDER = Path(shell.__file__).parent
PAGES = re.findall(r'st\.Page\("(\w+\.py)"', (PAGES_FOLDER / "app.py").read_text(encoding="utf-8"))
# Every name by which arena.toml, another tool's file or another arena's page knows an address, a key or a model.
NAMES = (
    *("base_url", "api_base", "url", "endpoint", "address", "host", "upstream_id", "provider", "link", "script"),
    *("key_variable", "api_key", "key", "model", "models", "model_a", "model_b", "config", "settings", "database_url"),
)
FREE_TEXT = {"prompt", "filter-search"}  # a new field is listed here once nothing typed there is taken for an address
FIELDS_OF_PAGES = ("a", "b", "method", "battle", "source", "search", "order", "language", "organisation")


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What a server on this machine has been asked; the first entry is its own address."""

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_POST = do_GET  # noqa: N815 - the base class's form

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        paths = [f"http://127.0.0.1:{server.server_port}/v1"]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield paths
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("page", PAGES)
def test_no_parameter_of_an_address_becomes_a_models_address(open_page: OpenPage, asked: list[str], page: str) -> None:
    open_page()
    before = open_arena().catalogue().entries

    tab = open_page(page, **dict.fromkeys([*NAMES, *FIELDS_OF_PAGES], asked[0]))
    if page == "battle.py":
        tab.chat_input(key="prompt").set_value(f"base_url = {asked[0]} {asked[0]}").run()

    assert not tab.exception
    assert open_arena().catalogue().entries == before
    assert asked[1:] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_types_prompts_and_searches_and_uploads_nothing(open_page: OpenPage, page: str) -> None:
    tab = open_page(page)

    assert [*tab.get("file_uploader"), *tab.get("camera_input"), *tab.get("audio_input"), *tab.text_area] == []
    assert {field.key for field in [*tab.text_input, *tab.chat_input]} <= FREE_TEXT
    assert not any(field.proto.accept_file for field in tab.chat_input)


@pytest.mark.parametrize("file", sorted(PAGES_FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_no_page_handles_an_address_or_a_key(file: Path) -> None:
    words = {name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) for name in names_in(node)}

    assert words & {"base_url", "upstream_id", "key_variable", "api_key", "Endpoint", "file_uploader"} == set()


def names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.alias(name=name):
            yield name
        case _:
            pass


def test_the_door_for_pages_takes_no_address_either() -> None:
    verbs = [verb for name, verb in inspect.getmembers(Arena, inspect.isfunction) if not name.startswith("_")]
    taken = {parameter for verb in verbs for parameter in inspect.signature(verb).parameters}

    assert len(verbs) > 10
    assert taken & {"base_url", "url", "address", "endpoint", "key_variable", "api_key", "spec", "specs"} == set()
