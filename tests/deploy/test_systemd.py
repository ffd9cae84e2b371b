import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arena.settings import load_settings
from tests.deploy.deployment import ROOT, text

WORST_EXPOSURE = "20"  # tenths; systemd calls everything below 50 "OK" or better


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a Python that is on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "arena.service"
    unit.write_text(text("arena.service").replace("/opt/arena/.venv/bin/python", sys.executable))
    return unit


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_accepts_the_unit(unit: Path) -> None:
    found = analyze("verify", "--man=no", unit)

    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_would_say_what_is_misspelt(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))

    assert "ProtectHomes" in analyze("verify", "--man=no", unit).stderr


def test_little_of_the_machine_is_open_to_the_service(unit: Path) -> None:
    found = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", "--no-pager", unit)

    assert found.returncode == 0, found.stdout


def test_the_settings_of_the_unit_are_settings() -> None:
    (line,) = re.findall(r"^Environment=(.+)$", text("arena.service"), re.MULTILINE)
    variables = dict(re.findall(r"(\w+)=(\S+)", line))
    variables.pop("ARENA_CONFIG")

    settings = load_settings(config=ROOT / "arena.example.toml", environ=variables)

    assert (settings.data_dir, settings.cache_dir) == (Path("/var/lib/arena"), Path("/var/cache/arena"))
