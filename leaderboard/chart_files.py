"""Charts as files that can be read without the page: a specification in, an SVG or a PNG out.

Everything stands in the file; nothing is fetched while it is drawn or when it is opened. vl-convert keeps the
interpreter's lock while it draws, two seconds for a heat map of 130 models: a server draws in another process.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import vl_convert

WIDTH = 1000
"""Pixels of a picture whose chart has no width of its own."""

# vl-convert brings Liberation Sans; Arial is as wide, where the SVG is opened without it.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
MOST_DESCRIBED = 2_000  # marks with a spoken description in an SVG; of 16,000 cells nobody listens to each

Spec = Mapping[str, Any]

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2

_LOOK: Spec = {
    "font": FONT,
    "view": {"stroke": None},
    "title": {"fontSize": 16, "subtitleFontSize": 12, "subtitleColor": "#555555", "offset": 14, "subtitlePadding": 6},
    "axis": {"gridColor": "#e4e4e4", "labelColor": "#333333", "titleFontSize": 12, "titlePadding": 10},
    "legend": {"titleFontSize": 12, "labelFontSize": 11},
}


def as_svg(spec: Spec, *, caption: str | None = None) -> str:
    """The chart as SVG on white; `caption` is a line below its title.

    Args:
        spec: a Vega-Lite specification that holds its data; one without a width gets `WIDTH` pixels in all.
        caption: what a reader away from the page must know.

    Raises:
        ValueError: the specification names an address, or Vega cannot draw it.
    """
    return vl_convert.vegalite_to_svg(_legible(_standalone(spec, caption=caption)), allowed_base_urls=[])


def as_png(spec: Spec, *, caption: str | None = None, scale: float = 2.0) -> bytes:
    """The chart as PNG on white, as `as_svg` draws it, with `scale` dots a pixel.

    Raises:
        ValueError: as `as_svg`.
    """
    return vl_convert.vegalite_to_png(_legible(_standalone(spec, caption=caption)), scale=scale, allowed_base_urls=[])


def _standalone(spec: Spec, *, caption: str | None) -> dict[str, Any]:
    if any(key == "url" or (key in {"mark", "type"} and value == "image") for key, value in _settings(spec)):
        # vl-convert would fetch an image for a PNG even where no address is allowed.
        raise ValueError("A chart that names an address is not drawn: put its data into the specification.")
    config = {**_LOOK, **spec.get("config", {})}
    if sum(map(len, spec.get("datasets", {}).values())) > MOST_DESCRIBED:
        config["mark"] = {"aria": False}
    drawn = {**spec, "background": "white", "padding": 20, "config": config}
    if caption is not None:
        drawn["title"] = {**spec["title"], "subtitle": caption}
    if "width" not in spec:
        drawn |= {"width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
    return drawn


def _legible(part: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """The same with a replacement character for what no XML may hold: vl-convert would end the process."""
    if isinstance(part, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", part)
    if isinstance(part, Mapping):
        return {key: _legible(value) for key, value in part.items()}
    return [_legible(each) for each in part] if isinstance(part, list) else part


def _settings(part: object) -> Iterator[tuple[str, object]]:
    """Every key with its value outside the data, where names may say what they like."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key not in {"datasets", "values"}:
                yield key, value
                yield from _settings(value)
    elif isinstance(part, list):
        for each in part:
            yield from _settings(each)
