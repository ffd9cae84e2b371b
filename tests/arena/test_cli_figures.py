import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from arena.__main__ import main

VOTES = """model_a,model_b,winner,time
ash,<b>beech,model_a,2026-11-01T12:00:00Z
<b>beech,ash,tie,2026-11-02T12:00:00Z
ash,<b>beech,model_b,2026-11-03T12:00:00Z
"""
FILES = ["strength", "win-rates", "win-fractions", "battle-counts", "votes-per-day", "win-probabilities"]

Run = Callable[..., "tuple[object, str, str]"]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> Run:
    """Commands in a folder with an imported file of three votes: their exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "arena.toml").write_text("hold_seconds = 1.0\n")
    (tmp_path / "trees.csv").write_text(VOTES)

    def command(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return ended.value.code, *capsys.readouterr()

    command("import", "trees.csv")
    return command


def texts(file: Path) -> list[str | None]:
    return [text.text for text in ET.parse(file).iter("{http://www.w3.org/2000/svg}text")]


def test_every_figure_of_a_board_is_written_and_listed(run: Run, tmp_path: Path) -> None:
    code, out, err = run("figures", "pictures", "--source", "trees")

    assert (code, err) == (0, "")
    assert out.splitlines() == [f"pictures/{name}.svg" for name in FILES]
    strength = texts(tmp_path / "pictures" / "strength.svg")
    assert "Figure 1: Confidence Intervals on Model Strength" in strength
    assert {"ash", "<b>beech"} <= set(strength)
    assert "Bradley–Terry · 3 votes · from trees" in strength
    assert "3 votes · from trees" in texts(tmp_path / "pictures" / "battle-counts.svg")


def test_what_a_page_would_rate_in_the_background_is_waited_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text("model_a,model_b,a_wins,b_wins,ties,both_bad\nash,beech,20000,10000,9000,0\n")
    run("import", "many.csv")

    code, out, err = run("figures", "pictures", "--source", "many", "--method", "elo_order_free")

    assert (code, err) == (0, "")
    assert "pictures/win-rates.svg" in out.splitlines()


def test_a_figure_says_how_its_votes_were_chosen(run: Run, tmp_path: Path) -> None:
    options = ["--source", "trees", "--since", "2026-11-01", "--until", "2026-11-02", "--no-code", "--without-ties"]

    run("figures", "pictures", *options, "--method", "davidson")

    narrowed = "from trees · without code · since 2026-11-01 · until 2026-11-02 · without ties"
    assert f"Davidson (ties apart) · 1 vote · {narrowed}" in texts(tmp_path / "pictures" / "strength.svg")
    assert not (tmp_path / "pictures" / "win-probabilities.svg").exists()


def test_figures_are_written_as_png_and_never_over_others(run: Run, tmp_path: Path) -> None:
    first, _, _ = run("figures", "pictures", "--format", "png", "--source", "trees")
    again, _, err = run("figures", "pictures", "--format", "png", "--source", "trees")
    replaced, _, _ = run("figures", "pictures", "--format", "png", "--source", "trees", "--overwrite")

    assert (first, again, replaced) == (0, 2, 0)
    assert "pictures/strength.png is there already" in err
    assert (tmp_path / "pictures" / "strength.png").read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_picture_is_refused_with_the_known_ones(run: Run) -> None:
    code, _, err = run("figures", "pictures", "--format", "gif")

    assert code == 2
    assert "use svg or png" in err


def test_a_board_without_votes_has_nothing_to_draw(run: Run, tmp_path: Path) -> None:
    code, _, err = run("figures", "pictures", "--language", "de")

    assert code == 2
    assert "there is nothing to draw" in err
    assert not (tmp_path / "pictures").exists()
