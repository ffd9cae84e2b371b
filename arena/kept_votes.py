"""The votes of a selection, of which the imported part is kept: files change it, the arena's own votes do not.

Summing the tallies of millions of imported votes takes seconds, and every vote asks for them again.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from time import monotonic
from types import MappingProxyType

from arena.selection import ARENA, Selection
from arena.store import LastVote, Queries, SelectedVotes

KEPT = 8
COUNTED_SECONDS = 60.0

# What a source is as long as its tallies stay: a source that is read anew, or replaced, differs in one of these.
_Stamp = tuple[tuple[object, ...], ...]


class KeptVotes:
    """Reads selections; safe to call from many threads."""

    def __init__(self, read: Queries) -> None:
        self._read = read
        self._lock = Lock()
        self._kept: OrderedDict[tuple[Selection, _Stamp], SelectedVotes] = OrderedDict()

    def selected(self, selection: Selection, *, in_order: bool, with_styles: bool) -> SelectedVotes:
        """As `Queries.selected_votes`; votes in order, or with styles, are read each time."""
        imported = selection.sources - {ARENA}
        if in_order or with_styles or not imported:
            return self._read.selected_votes(selection, in_order=in_order, with_styles=with_styles)
        own = self._read.selected_votes(replace(selection, sources=selection.sources & {ARENA}))
        return _together(own, self._imported(replace(selection, sources=imported)))

    def _imported(self, selection: Selection) -> SelectedVotes:
        sources = [source for source in self._read.sources() if source.name in selection.sources]
        if any(source.classifier is None for source in sources):
            return self._read.selected_votes(selection)  # its tallies still move
        stamp = tuple((source.name, source.sha256, source.imported_at, source.classifier) for source in sources)
        with self._lock:
            if (selection, stamp) in self._kept:
                self._kept.move_to_end((selection, stamp))
                return self._kept[selection, stamp]
        votes = self._read.selected_votes(selection)
        with self._lock:
            self._kept[selection, stamp] = votes
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return votes


class KeptLosses:
    """How many battles failed answers have lost, counted once a minute: they move no board's version."""

    def __init__(self, read: Queries, *, clock: Callable[[], float] = monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._counted: tuple[float, int] | None = None

    def so_far(self, selection: Selection) -> int:
        """A number that changes when boards of this selection may, apart from their version; 0 where they cannot."""
        if not selection.failed_loses or ARENA not in selection.sources:
            return 0
        with self._lock:
            if self._counted is None or self._clock() - self._counted[0] > COUNTED_SECONDS:
                self._counted = (self._clock(), self._read.lost_battles())
            return self._counted[1]


def _together(own: SelectedVotes, imported: SelectedVotes) -> SelectedVotes:
    """The version is that of the arena's own votes, which were read at this moment."""
    days = [votes.last_vote.day for votes in (own, imported) if votes.last_vote.day is not None]
    return replace(
        own,
        tallies=own.tallies + imported.tallies,
        left_out=MappingProxyType(dict(Counter(own.left_out) + Counter(imported.left_out))),
        last_vote=LastVote(max(days, default=None), None),
        undated=own.undated + imported.undated,
    )
