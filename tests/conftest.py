"""Databases of both engines for whatever test asks for one."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings
from postgresql_server import REMEDY, PostgresServer, binaries

from arena.store.engine import database_of
from arena.store.migrating import migrate

ENGINES = ("sqlite", "postgresql")

# How long an example takes depends on what else the machine does: speed is measured in benchmarks/.
settings.register_profile("arena", deadline=None)
settings.load_profile("arena")


class MakeDatabase(Protocol):
    def __call__(self, *, blank: bool = False) -> str: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files that wait for a browser among those that compute: side by side they keep all cores busy."""
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
    """What asks for an `engine_name`, directly or through a fixture, runs on each engine.

    What looks at the SQLite file itself (the fixture `database`), or is marked for one engine, runs there alone.
    """
    if "engine_name" in metafunc.fixturenames:
        marked = [name for name in ENGINES if metafunc.definition.get_closest_marker(f"{name}_only")]
        on_file = ["sqlite"] if "database" in metafunc.fixturenames else []
        metafunc.parametrize("engine_name", marked or on_file or ENGINES)


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


@pytest.fixture
def make_database(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeDatabase]:
    """Makes databases of the engine at hand, by their URLs; blank, or migrated where that is quicker."""
    made: list[str] = []

    def make(*, blank: bool = False) -> str:
        if engine_name == "sqlite":
            made.append("")
            path = tmp_path / ("arena.db" if len(made) == 1 else f"other-{len(made)}.db")
            if not blank:
                shutil.copyfile(request.getfixturevalue("migrated_file"), path)
            return f"sqlite:///{path}"
        template = "template0" if blank else request.getfixturevalue("migrated_template")
        made.append(request.getfixturevalue("postgres").create(template=template))
        return str(request.getfixturevalue("postgres").url(made[-1]))

    yield make
    for name in filter(None, made):
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A database for the test alone."""
    return make_database()
