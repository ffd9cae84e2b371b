"""A bundle's report: one HTML file that needs nothing else and runs nothing; for screens light and dark, and paper."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any, Final

from arena.numerals import count, verb
from leaderboard import METHODS

MAIN: Final = "bradley_terry"
BESIDE: Final = ("elo",)  # in the first table; the other methods have one of their own
STYLE: Final = """
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #5c6570; --card: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { --line: #3a414b; --soft: #a3adba; --card: #1d2127; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
.soft, caption, footer { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; min-width: 60%; }
caption { caption-side: bottom; font-size: .875rem; padding-top: .5rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem; text-align: right; vertical-align: baseline; }
thead th { border-bottom-width: 2px; vertical-align: bottom; }
th[scope=row], .left, .left th, .left td { text-align: left; }
tbody th[scope=row] { font-weight: 600; overflow-wrap: anywhere; }
small { color: var(--soft); display: block; white-space: nowrap; }
figure { margin: 1.5rem 0; } img { background: #fff; border-radius: 6px; max-width: 100%; }
code { background: var(--card); border-radius: 3px; font-size: .875em; overflow-wrap: anywhere; padding: .1em .3em; }
@media print {
  :root { color-scheme: light; --line: #bbb; --soft: #444; --card: none; }
  body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  .wide { overflow: visible; } h2 { break-after: avoid; } tr, figure { break-inside: avoid; }
  thead { display: table-header-group; } img { max-height: 22cm; }
}
"""


def report(
    about: Mapping[str, Any], results: Mapping[str, Any], pictures: Mapping[str, str], sums: Mapping[str, str]
) -> str:
    """The page: per source its board and what was left out, then the pictures, then how to check all of it.

    Args:
        about: program, code, Elo settings, the audit log's head.
        results: per source what `arena.bundle_results` makes of its votes.
        pictures: SVG by name.
        sums: SHA-256 of the files beside this page.
    """
    boards = "".join(_board(source, results[source]) for source in about["sources"])
    drawn = "".join(_picture(name, svg) for name, svg in sorted(pictures.items()))
    figures = f"<h2>Figures</h2>\n{drawn}" if drawn else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Leaderboard</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>{STYLE}</style></head><body>
<h1>Leaderboard</h1>
<p class="soft">{_text(_as_of(about, results))}</p>
{boards}{figures}{_made_how(about, sums)}</body></html>
"""


def _as_of(about: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """The page tells when its votes were cast, not when it was made: one state makes one report."""
    last = max((made["last_at"] for source in about["sources"] if (made := results[source])["last_at"]), default=None)
    counted = sum(results[source]["counted"] for source in about["sources"])
    return count(counted, "counted vote") + (f", the last vote of {_moment(last)}" if last else "")


def _board(source: str, made: Mapping[str, Any]) -> str:
    ratings = made["ratings"]
    rated = [key for key in METHODS if isinstance(ratings[key], dict)]
    unrated = "".join(
        f"<p>{_text(METHODS[key].title)}: {_text(ratings[key])}</p>\n" for key in METHODS if key not in rated
    )
    others = [key for key in rated if key not in {MAIN, *BESIDE}]
    tables = _main_table(made, rated) + (_other_table(made, others) if others else "") if rated else ""
    return f"<h2>Votes of {_text(source)}</h2>\n{tables}{unrated}<p>{_counts(made)}</p>\n"


def _main_table(made: Mapping[str, Any], rated: Iterable[str]) -> str:
    shown = [key for key in (MAIN, *BESIDE) if key in rated]
    heads = "".join(
        f'<th scope="col">{_text(METHODS[key].title)}</th>'
        + ('<th scope="col">95&nbsp;% interval</th>' if key in made["lower"] else "")
        for key in shown
    )
    rows = "".join(
        f'<tr><td>{_rank(name, made)}</td><th scope="row">{_text(name)}</th>'
        + "".join(_score(name, key, made) for key in shown)
        + f"<td>{made['battles'][name]:,}</td></tr>\n"
        for name in _ordered(made)
    )
    return f"""<div class="wide"><table>
<thead><tr><th scope="col">Rank&nbsp;(UB)</th><th scope="col" class="left">Model</th>{heads}
<th scope="col">Votes</th></tr></thead>
<tbody>
{rows}</tbody>
<caption>Rank (UB) is one more than the number of models that are surely better: those whose interval lies above this
model's.</caption></table></div>
"""


def _other_table(made: Mapping[str, Any], keys: Iterable[str]) -> str:
    keys = tuple(keys)
    heads = "".join(f'<th scope="col">{_text(METHODS[key].title)}</th>' for key in keys)
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th>{"".join(_with_interval(name, key, made) for key in keys)}</tr>\n'
        for name in _ordered(made)
    )
    return f"""<h3>The same votes by other methods</h3>
<div class="wide"><table>
<thead><tr><th scope="col" class="left">Model</th>{heads}</tr></thead>
<tbody>
{rows}</tbody></table></div>
"""


def _ordered(made: Mapping[str, Any]) -> list[str]:
    scores = made["ratings"][MAIN] if isinstance(made["ratings"][MAIN], dict) else {}
    return sorted(made["battles"], key=lambda name: (-scores.get(name, 0.0), name))


def _rank(name: str, made: Mapping[str, Any]) -> str:
    """As `leaderboard.ranks.RankRange.best`."""
    if name not in made["upper"].get(MAIN, {}):
        return "–"
    return str(1 + sum(low > made["upper"][MAIN][name] for low in made["lower"][MAIN].values()))


def _score(name: str, key: str, made: Mapping[str, Any]) -> str:
    score = f"<td>{_number(made['ratings'][key].get(name))}</td>"
    return score + (f"<td>{_interval(name, key, made)}</td>" if key in made["lower"] else "")


def _with_interval(name: str, key: str, made: Mapping[str, Any]) -> str:
    interval = f"<small>{_interval(name, key, made)}</small>" if key in made["lower"] else ""
    return f"<td>{_number(made['ratings'][key].get(name))}{interval}</td>"


def _interval(name: str, key: str, made: Mapping[str, Any]) -> str:
    lower, upper = (made[end][key].get(name) for end in ("lower", "upper"))
    return f"{_number(lower)} to {_number(upper)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _counts(made: Mapping[str, Any]) -> str:
    left_out = ", ".join(f"{_text(reason)} {n:,}" for reason, n in sorted(made["left_out"].items()))
    verdicts = ", ".join(f"{_text(verdict)} {n:,}" for verdict, n in sorted(made["verdicts"].items()))
    cast = f" Cast from {_moment(made['first_at'])} to {_moment(made['last_at'])}." if made["first_at"] else ""
    counts = f"{made['counted']:,} {verb(made['counted'], 'counts', 'count')} ({verdicts or 'none'})"
    return f"{count(made['votes'], 'vote')}, of which {counts}. Left out: {left_out or 'none'}.{cast}"


def _picture(name: str, svg: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    title = _text(name.replace("_", " ").replace("-", " "))
    return f'<figure><img alt="{title}" src="data:image/svg+xml;base64,{data}"></figure>\n'


def _made_how(about: Mapping[str, Any], sums: Mapping[str, str]) -> str:
    elo, audit = about["elo"], about["audit"]
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td><code>{_text(digest)}</code></td></tr>\n'
        for name, digest in sorted(sums.items())
    )
    return f"""<h2>How it was made</h2>
<p>Elo is a fold over the counted votes in their order, with K = {_text(elo["k"])}, start {_text(elo["start"])} and
scale {_text(elo["scale"])}; ties and both-bad score one half each way. The other methods are fitted to all counted
votes at once; an interval holds the score with 95 % confidence. Every figure can be made again from the votes beside
this page: <code>arena verify --bundle FILE</code>.</p>
<p>Program {_text(about["program"])}, code <code>{_text(about["code"])}</code>. Audit log: {_text(audit["seq"])}
entries, the last one's digest is <code>{_text(audit["digest"] or "none")}</code>. When this file was written stands
beside it in <code>about.json</code>.</p>
<div class="wide"><table class="left">
<thead><tr><th scope="col">File beside this page</th><th scope="col">SHA-256</th></tr></thead>
<tbody>
{rows}</tbody></table></div>
"""


def _moment(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"


def _text(value: object) -> str:
    return escape(str(value))
