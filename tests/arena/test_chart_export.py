import json
from pathlib import Path

import pytest

from arena.board_charts import Picture
from arena.chart_child import draw
from arena.chart_export import ChartFormat, ChartPress, write_pictures
from arena.errors import ExportRefused

PICTURE = Picture(
    "heights",
    {
        "title": {"text": "Heights of Trees"},
        "data": {"values": [{"tree": "ash", "metres": 30}]},
        "mark": "bar",
        "encoding": {"x": {"field": "metres", "type": "quantitative"}, "y": {"field": "tree", "type": "nominal"}},
    },
    caption="as of today",
)
BROKEN = Picture("broken", {**PICTURE.spec, "mark": "no such mark"})
SIGNATURES = {ChartFormat.SVG: b"<svg", ChartFormat.PNG: b"\x89PNG"}


@pytest.mark.parametrize("chart_format", ChartFormat)
def test_a_picture_is_drawn_in_a_process_of_its_own(
    chart_format: ChartFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = ChartPress().draw(PICTURE, chart_format)
    order = {"spec": PICTURE.spec, "caption": PICTURE.caption, "format": chart_format}

    assert drawn.startswith(SIGNATURES[chart_format])
    assert drawn == draw(json.dumps(order).encode())


def test_an_svg_says_what_stands_around_it_on_the_page() -> None:
    drawn = ChartPress().draw(PICTURE, ChartFormat.SVG).decode()

    assert ">Heights of Trees<" in drawn
    assert ">as of today<" in drawn


def test_what_cannot_be_drawn_is_named_with_the_reason() -> None:
    with pytest.raises(ExportRefused, match=r"^'Heights of Trees' cannot be drawn: .+"):
        ChartPress().draw(BROKEN, ChartFormat.SVG)


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(ExportRefused, match=r"^'Heights of Trees' was not drawn in 0\.001 s\.$"):
        ChartPress(longest_seconds=0.001).draw(PICTURE, ChartFormat.SVG)


@pytest.mark.parametrize("chart_format", ChartFormat)
def test_pictures_are_written_into_a_new_folder(chart_format: ChartFormat, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []

    (path,) = write_pictures(
        [PICTURE], tmp_path / "new" / "er", chart_format=chart_format, progress=lambda *what: told.append(what)
    )

    assert path == tmp_path / "new" / "er" / f"heights.{chart_format}"
    assert path.read_bytes().startswith(SIGNATURES[chart_format])
    assert told == [("Drawing", 1.0)]


def test_a_file_that_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "heights.svg").write_text("mine")

    with pytest.raises(ExportRefused, match=r"heights\.svg is there already.*--overwrite"):
        write_pictures([PICTURE], tmp_path, chart_format=ChartFormat.SVG)
    assert (tmp_path / "heights.svg").read_text() == "mine"

    write_pictures([PICTURE], tmp_path, chart_format=ChartFormat.SVG, overwrite=True)
    assert (tmp_path / "heights.svg").read_text().startswith("<svg")


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ExportRefused, match=r"file cannot be written: "):
        write_pictures([PICTURE], tmp_path / "file", chart_format=ChartFormat.SVG)


@pytest.mark.parametrize(
    ("chart_format", "media_type"), [(ChartFormat.SVG, "image/svg+xml"), (ChartFormat.PNG, "image/png")]
)
def test_a_format_has_a_media_type(chart_format: ChartFormat, media_type: str) -> None:
    assert chart_format.media_type == media_type
