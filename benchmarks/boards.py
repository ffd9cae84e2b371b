"""What the leaderboard costs a server: the page with 1.67 million votes of 129 models, and their scores over time.

    python benchmarks/boards.py --votes 1670250 --days 300

Everything runs in one process on a database of its own. Figures are CPU milliseconds of the process, which neighbours
disturb least. The page is run by Streamlit's own test runner, whose work is in the figure, too.

The pair counts are those of tests/data. A file of counts has no days: for scores over time the same votes are drawn in
random order, spread evenly over so many days, and given categories, so that next to no two of them share a tally.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from arena.foreign import ForeignVote
from arena.selection import Selection
from arena.store import NewSource, SourceLoad, Store
from arena.transfer import import_file
from leaderboard import Verdict
from leaderboard.over_time import scores_over_time

ROOT = Path(__file__).resolve().parents[1]
PAIRS = ROOT / "tests" / "data" / "chatbot_arena_20240814_pairs.csv"
WORDS = {"a_wins": Verdict.A, "b_wins": Verdict.B, "ties": Verdict.TIE, "both_bad": Verdict.BOTH_BAD}
LANGUAGES = ("en", "de", "fr", "zh", "ru", "es", "ja", "pt")
START = datetime(2024, 1, 1, tzinfo=UTC)
AT_ONCE = 10_000
T = TypeVar("T")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "arena.toml"
        config.write_text('data_dir = "."\n', encoding="utf-8")
        os.environ["ARENA_CONFIG"] = str(config)
        url = f"sqlite:///{folder}/arena.sqlite3"
        with closing(Store.open(url)) as store:
            import_file(store, PAIRS, actor="benchmark", name="pairs")
            _load(store, votes=options.votes, days=options.days)
        with closing(Store.open_to_read(url)) as store:
            _over_time(store)
        _page()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=200_000, help="of the source with days, at most 1,670,250")
    parser.add_argument("--days", type=int, default=300)
    return parser.parse_args()


def _load(store: Store, *, votes: int, days: int) -> None:
    drawn = list(_shuffled(votes))
    step = timedelta(days=days) / len(drawn)
    with SourceLoad(store.write, NewSource(name="dated", format="benchmark", sha256="0" * 64)) as loading:
        for first in range(0, len(drawn), AT_ONCE):
            part = enumerate(drawn[first : first + AT_ONCE], start=first)
            loading.add([_vote(number, *each, at=START + number * step) for number, each in part])
        loading.publish(actor="benchmark")


def _shuffled(votes: int) -> Iterator[tuple[str, str, Verdict]]:
    """So many of the pair counts' votes, in an order that is the same every time."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    every = [
        (row["model_a"], row["model_b"], verdict)
        for row in rows
        for column, verdict in WORDS.items()
        for _ in range(int(row[column]))
    ]
    stride = 1_000_003  # a prime: each vote once
    return (every[number * stride % len(every)] for number in range(min(votes, len(every))))


def _vote(number: int, model_a: str, model_b: str, verdict: Verdict, *, at: datetime) -> ForeignVote:
    return ForeignVote(
        model_a=model_a,
        model_b=model_b,
        verdict=verdict,
        cast_at=at,
        line=number + 1,
        language=LANGUAGES[number % len(LANGUAGES)],
        turns=1 + number % 2,
    )


def _over_time(store: Store) -> None:
    dated = Selection(sources=frozenset({"dated"}))
    days = _timed("counts of 60 days", lambda: list(store.read.counts_over_time(dated)))
    for method in ("bradley_terry", "davidson"):
        _timed(f"60 boards by {method}", lambda method=method: scores_over_time(days, method=method))  # type: ignore[misc]


def _page() -> None:
    from streamlit.testing.v1 import AppTest  # noqa: PLC0415 - takes a second

    sys.path.insert(0, str(ROOT / "pages"))
    tab = AppTest.from_file(ROOT / "pages" / "app.py", default_timeout=300)
    tab.run().switch_page("standings.py")
    tab.query_params["source"] = "pairs"
    for name in ("page, first", *["page, rerun"] * 5):
        _timed(name, tab.run)
    print(f"{tab.markdown[0].value}, {len(tab.get('vega_lite_chart'))} pictures")


def _timed(what: str, run: Callable[[], T]) -> T:
    begun = time.process_time()
    result = run()
    print(f"{what:<28} {1000 * (time.process_time() - begun):8.0f} ms")
    return result


if __name__ == "__main__":
    main()
