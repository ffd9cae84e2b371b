"""Databases of the engine at hand for whatever test asks for one."""

import gc
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings
from postgresql_server import REMEDY, PostgresServer, binaries
from sqlalchemy import make_url

from arena.store.engine import database_of
from arena.store.migrating import migrate

ENGINES = ("sqlite", "postgresql")
CHOICES = {"sqlite": ENGINES[:1], "postgresql": ENGINES[1:], "both": ENGINES}
OF_THE_STORE = Path(__file__).parent / "arena" / "store"
# Of a server's database several arenas may be replicas, which must be told a secret.
SECRET = "the secret of every test on a server"

# How long an example takes depends on what else the machine does: speed is measured in benchmarks/.
settings.register_profile("arena", deadline=None)
settings.load_profile("arena")


class MakeDatabase(Protocol):
    def __call__(self, *, blank: bool = False, like: str | None = None) -> str: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    told = (
        "run only what needs a database, all of it on this engine (by default what `both_engines` and the store's say)"
    )
    parser.addoption("--engine", choices=list(CHOICES), help=told)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about another engine, and spread the files that wait for a browser among the others.

    Side by side with those that compute they keep all cores busy.
    """
    left_out = [item for item in items if not _runs(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _runs(item)]
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [path for path, tests in files.items() if tests[0].get_closest_marker("e2e")]
    order = [path for path in files if path not in waiting]
    step = 2 * len(order) // (3 * len(waiting)) if waiting else 0  # none at the end: they are the longest
    for number, path in enumerate(waiting):
        order.insert(number * (step + 1), path)
    items[:] = [item for path in order for item in files[path]]


def pytest_collection_finish() -> None:
    """What is there before the first test stays to the end: collecting garbage in it took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What asks for an `engine_name`, directly or through a fixture, runs on each engine that is wanted.

    What looks at the SQLite file itself (the fixture `database`) runs there alone, as does what is marked so.
    """
    if "engine_name" in metafunc.fixturenames:
        on_file = ["sqlite"] if "database" in metafunc.fixturenames else []
        engines = _marked(metafunc.definition) or on_file or ENGINES
        wanted = [name for name in engines if name in _wanted(metafunc.definition)]
        metafunc.parametrize("engine_name", wanted or engines, scope="module")  # unwanted ones are left out below


def _runs(item: pytest.Item) -> bool:
    """Whether a test is about an engine that is wanted; what is about none does not run where one is chosen."""
    about = _marked(item) or list(ENGINES)
    if hasattr(item, "callspec") and "engine_name" in item.callspec.params:
        about = [name for name in about if name == item.callspec.params["engine_name"]]
    elif not _marked(item):
        return item.config.getoption("--engine") is None
    return bool(set(about) & set(_wanted(item)))


def _marked(item: pytest.Item) -> list[str]:
    return [name for name in ENGINES if item.get_closest_marker(f"{name}_only")]


def _wanted(item: pytest.Item) -> Sequence[str]:
    on_both = item.get_closest_marker("both_engines") or item.path.is_relative_to(OF_THE_STORE)
    return CHOICES[item.config.getoption("--engine") or ("both" if on_both else "sqlite")]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    found = binaries()
    if found is None:
        assert os.environ.get("CI") != "true", REMEDY
        pytest.skip(REMEDY)
    server = PostgresServer(found, fsync=False)  # nobody pulls its plug
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that others are copied from, as above."""
    path = tmp_path_factory.mktemp("migrated") / "arena.db"
    engine = database_of(f"sqlite:///{path}").writing_engine()
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """A database that others are copied from: copying takes a tenth of the time of migrating."""
    name = postgres.create()
    engine = database_of(postgres.url(name)).writing_engine()
    migrate(engine)
    engine.dispose()
    return name


@contextmanager
def databases_in(folder: Path, engine_name: str, request: pytest.FixtureRequest) -> Iterator[MakeDatabase]:
    """Makes databases of an engine, by their URLs: blank, like one that is closed, or migrated as most tests want it.

    Copying takes a tenth of the time of migrating.
    """
    made: list[str] = []

    def make(*, blank: bool = False, like: str | None = None) -> str:
        made.append("")
        if engine_name == "sqlite":
            path = folder / ("arena.db" if len(made) == 1 else f"other-{len(made)}.db")
            if not blank:
                model = make_url(like).database if like else request.getfixturevalue("migrated_file")
                shutil.copyfile(str(model), path)
            return f"sqlite:///{path}"
        server: PostgresServer = request.getfixturevalue("postgres")
        model = make_url(like).database if like else None
        template = "template0" if blank else model or request.getfixturevalue("migrated_template")
        made[-1] = server.create(template=template)
        return server.url(made[-1])

    yield make
    for name in filter(None, made):
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def make_database(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeDatabase]:
    """Makes databases of the engine at hand, for the test alone."""
    with databases_in(tmp_path, engine_name, request) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared_database(
    engine_name: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[MakeDatabase]:
    """The same for all tests of a file."""
    with databases_in(tmp_path_factory.mktemp("shared"), engine_name, request) as make:
        yield make


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A database for the test alone."""
    return make_database()


@pytest.fixture
def variables(engine_name: str, make_database: MakeDatabase) -> Mapping[str, str]:
    """What an arena of the engine at hand is told by its environment: on SQLite nothing, as its file is its own."""
    return {} if engine_name == "sqlite" else variables_of(make_database())


@pytest.fixture(scope="module")
def shared_variables(engine_name: str, make_shared_database: MakeDatabase) -> Mapping[str, str]:
    """The same for an arena that all tests of a file share."""
    return {} if engine_name == "sqlite" else variables_of(make_shared_database())


def variables_of(url: str) -> Mapping[str, str]:
    return {"ARENA_DATABASE_URL": url, "ARENA_SECRET": SECRET}
