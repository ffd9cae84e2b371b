"""What DESIGN says about imports holds: the contracts stand in pyproject.toml, the doors in each `__init__.py`."""

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DOORS = [
    "arena.embedded",
    "arena.exchange",
    "arena.identity",
    "arena.providers",
    "arena.store",
    "leaderboard",
    "leaderboard.integrity",
    "leaderboard.ratings",
]


def test_every_import_keeps_the_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]

    run = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", DOORS)
def test_a_door_lists_names_that_are_there_public_and_no_modules(name: str) -> None:
    door = importlib.import_module(name)

    assert door.__all__
    assert len(door.__all__) == len(set(door.__all__))
    assert not [key for key in door.__all__ if key.startswith("_") or isinstance(getattr(door, key), ModuleType)]


def test_every_package_with_a_door_is_known_here() -> None:
    doors = {file.parent for folder in ("arena", "leaderboard") for file in (ROOT / folder).rglob("__init__.py")}

    listing = {door for door in doors if "__all__" in (door / "__init__.py").read_text(encoding="utf-8")}

    assert {".".join(door.relative_to(ROOT).parts) for door in listing} == set(DOORS)


def imports_past_a_door(file: Path, *, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules = [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (f"{file.relative_to(ROOT)}: {name}" for name in modules if name.startswith(f"{package}."))


@pytest.mark.parametrize("package", [door for door in DOORS if door.startswith("arena.")])
def test_a_package_is_entered_by_its_door_only(package: str) -> None:
    inside = ROOT / package.replace(".", "/")
    outside = [
        file
        for folder in ("arena", "pages", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        if inside not in file.parents
    ]

    assert [line for file in outside for line in imports_past_a_door(file, package=package)] == []


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for folder in ("arena", "leaderboard", "pages")
        for file in (ROOT / folder).rglob("*.py")
    }

    assert set(listed) == found
