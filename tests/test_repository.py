"""The tree as it is handed on: pinned, without secrets, without traces of the machine it was made on."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from arena.settings import load_settings

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ["requirements.lock", "requirements-test.lock"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
LOOKS_SECRET = re.compile(
    r"(?<![\w-])(?:sk-(?:proj-|ant-)?[A-Za-z0-9_]{20,}|ghp_\w{30,}|AKIA[A-Z0-9]{16}|hf_[A-Za-z]{30,}|AIza[\w-]{35})"
    r"|-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY"
)


def files(*suffixes: str) -> list[Path]:
    """What git knows, and what it would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    return [ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()]


def pins(lock: str) -> dict[str, Version]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(name): Version(version) for name, version in PINNED.findall(text)}


# Dependencies


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_carries_hashes_and_no_registrys_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())

    assert not re.search(r"https?://|file:|--(?:extra-)?index-url|--find-links", text)
    assert [line.split()[0] for line in requirements if "--hash=sha256:" not in line] == []


def wanted(group: str) -> Iterator[Requirement]:
    for entry in PYPROJECT["dependency-groups"][group]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from wanted(entry["include-group"])


@pytest.mark.parametrize(("lock", "group"), [("requirements.lock", "build"), ("requirements-test.lock", "test")])
def test_a_lock_file_satisfies_the_ranges_of_pyproject(lock: str, group: str) -> None:
    pinned = pins(lock)
    ranges = [*map(Requirement, PYPROJECT["project"]["dependencies"]), *wanted(group)]

    missed = [
        str(each)
        for each in ranges
        if not each.specifier.contains(pinned.get(canonicalize_name(each.name), Version("0")), prereleases=True)
    ]

    assert missed == []


def test_the_tests_run_on_the_versions_that_users_get() -> None:
    tested = pins("requirements-test.lock")

    assert {name: tested[name] for name in pins("requirements.lock")} == pins("requirements.lock")


# Settings


def test_the_example_is_valid_and_holds_the_promised_models() -> None:
    settings = load_settings(config=ROOT / "arena.example.toml", environ={})

    priced = {spec.name for spec in settings.specs() if spec.price_in and spec.context_tokens and spec.knowledge_cutoff}
    assert {"gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4o"} <= priced


def test_every_line_of_the_example_that_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    text = (ROOT / "arena.example.toml").read_text(encoding="utf-8")
    everything = tmp_path / "arena.toml"
    everything.write_text(re.sub(r"^# (\[\[models\]\]|[a-z_]+ = )", r"\1", text, flags=re.MULTILINE), encoding="utf-8")

    names = {spec.name for spec in load_settings(config=everything, environ={}).specs()}

    assert {"llama-3.3-70b", "qwen2.5-7b", "llama3.2-ollama", "my-gguf", "smollm2-135m-instruct", "parrot"} <= names


# Engines


def test_no_test_of_arena_or_pages_chooses_its_engine_itself() -> None:
    """Whoever needs a database asks the fixtures of `tests/conftest.py`; else `--engine` would pass the test by."""
    chosen = re.compile(r"""Store\.open\w*\(\s*f?["']sqlite|Arena\.open\(load_settings\([^)]*environ=\{\}""")
    tests = [file for folder in ("arena", "pages") for file in (ROOT / "tests" / folder).glob("test_*.py")]

    assert len(tests) > 50
    assert [file.name for file in tests if chosen.search(file.read_text(encoding="utf-8"))] == []


# Secrets and size


def test_no_file_holds_what_looks_like_a_key() -> None:
    suspects = [
        str(file.relative_to(ROOT))
        for file in files(".py", ".toml", ".md", ".json", ".yml", ".yaml", ".env", ".cfg", ".pem", ".txt", "Makefile")
        if LOOKS_SECRET.search(file.read_text(encoding="utf-8"))
    ]

    assert suspects == []


def limit_of(name: str) -> int:
    # A page reads top to bottom; what makes markdown safe is a library that happens to live beside them.
    return 150 if name.startswith("pages/") and not name.startswith("pages/safe_") else 400


def test_no_file_of_the_program_is_too_long_to_be_read_at_once() -> None:
    lines = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in files(".py")
        if ROOT / "tests" not in file.parents
    }

    assert {name: n for name, n in lines.items() if n > limit_of(name)} == {}


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_function_of_the_program_is_longer_than_50_lines() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{function.name}"
        for file in files(".py")
        for function in functions(file)
        if ROOT / "tests" not in file.parents and (function.end_lineno or 0) - function.lineno >= 50
    ]

    assert long == []
