"""A bundle's report: one HTML file that needs nothing else and runs nothing."""

import base64
from collections.abc import Mapping
from html import escape
from typing import Any

from leaderboard import METHODS

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .3rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr { border-bottom: 1px solid #ddd; } img { max-width: 100%; }
code { overflow-wrap: anywhere; }
"""


def report(about: Mapping[str, Any], results: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """The page: per source its board by every method and what was left out, then the pictures.

    Args:
        about: program, code, Elo settings, the audit log's head.
        results: per source what `arena.bundle` makes of its votes.
        pictures: SVG by name.
    """
    elo, audit = about["elo"], about["audit"]
    boards = "".join(_board(source, made) for source in about["sources"] for made in [results[source]])
    drawn = "".join(_picture(name, svg) for name, svg in sorted(pictures.items()))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Leaderboard</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>{STYLE}</style></head><body>
<h1>Leaderboard</h1>
{boards}{drawn}
<h2>How it was made</h2>
<p>Elo is a fold over the counted votes in their order, with K = {_text(elo["k"])}, start {_text(elo["start"])} and
scale {_text(elo["scale"])}; ties and both-bad score one half each way. The other columns are fitted to all counted
votes at once. Every figure can be made again from the votes beside this page:
<code>arena verify --bundle FILE</code>.</p>
<p>Program {_text(about["program"])}, code <code>{_text(about["code"])}</code>. Audit log: {_text(audit["seq"])}
entries, the last one's digest is <code>{_text(audit["digest"] or "none")}</code>.</p>
</body></html>
"""


def _board(source: str, made: Mapping[str, Any]) -> str:
    by_method = {key: made["ratings"][key] for key in METHODS}
    rated = {key: ratings for key, ratings in by_method.items() if isinstance(ratings, dict)}
    heads = "".join(f"<th>{_text(METHODS[key].title)}</th>" for key in rated)
    first = next(iter(rated.values()), {})
    names = sorted(made["battles"], key=lambda name: (-first.get(name, 0.0), name))
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td>{made['battles'][name]:,}</td>{_cells(name, rated)}</tr>\n" for name in names
    )
    unrated = "".join(
        f"<p>{_text(METHODS[key].title)}: {_text(why)}</p>" for key, why in by_method.items() if isinstance(why, str)
    )
    return f"""<h2>Votes of {_text(source)}</h2>
<table><tr><th>Model</th><th>Battles</th>{heads}</tr>
{rows}</table>
{unrated}<p>{_counts(made)}</p>
"""


def _cells(name: str, rated: Mapping[str, Mapping[str, float]]) -> str:
    return "".join(f"<td>{ratings[name]:.1f}</td>" if name in ratings else "<td>–</td>" for ratings in rated.values())


def _counts(made: Mapping[str, Any]) -> str:
    left_out = ", ".join(f"{_text(reason)} {n:,}" for reason, n in sorted(made["left_out"].items()))
    verdicts = ", ".join(f"{_text(verdict)} {n:,}" for verdict, n in sorted(made["verdicts"].items()))
    return (
        f"{made['votes']:,} votes, of which {made['counted']:,} count ({verdicts or 'none'}). "
        f"Left out: {left_out or 'none'}."
    )


def _picture(name: str, svg: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    title = _text(name.replace("_", " ").replace("-", " "))
    return f'<h2>{title}</h2>\n<img alt="{title}" src="data:image/svg+xml;base64,{data}">\n'


def _text(value: object) -> str:
    return escape(str(value))
