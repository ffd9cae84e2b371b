"""Reading stored texts afterwards: in which language imported conversations are, and how answers are written.

Loading a file, and storing an answer of an older version, leaves this open, because it takes longer than the rest.
"""

from collections.abc import Callable, Sequence
from threading import Event
from time import monotonic

from arena.foreign import StyleFigures
from arena.language import CLASSIFIER, UNDETERMINED, language_of
from arena.store import Finding, ReplyKey, ReplyStyle, Source, Store, UnreadText
from leaderboard.style import Style, style_of

# A transaction of so many texts holds voters up by some milliseconds, whatever it costs to read them before.
AT_ONCE = 32
SHOWN_EVERY_SECONDS = 1.0
KEPT_EVERY_SECONDS = 60.0

Progress = Callable[[str, float], None]


def fill_in(
    store: Store,
    *,
    stop: Event | None = None,
    rest: float = 0.0,
    keep: Callable[[], object] = lambda: None,
    progress: Progress = lambda _stage, _fraction: None,
) -> int:
    """Tell languages and count styles wherever nobody has; how many texts were read.

    Works in slices, each stored with its tallies in one short transaction, so that votes go on, tallies are always
    those of the votes, and whatever ends it, the next call goes on where it stopped. What a file states itself stays:
    its language, and each figure of style that it gives for both sides; a figure it gives for one side only is counted
    for both. Caches of the board look again about once a second.

    Args:
        store: open for writing.
        stop: when it is set, the slice at work is the last.
        rest: seconds of rest for each second of work, to leave the processor to others.
        keep: called about once a minute, to say that this is still being done.
        progress: told which source is read and how far it is, 0 to 1.
    """
    pace = _Pace(stop or Event(), rest, keep)
    read = _count_replies(store, pace)
    for source in store.read.sources():
        if source.classifier is None:
            read += _read_source(store, source, pace, progress)
    if pace.unshown:
        store.write.show_changes().result()
    return read


class _Pace:
    """When to rest, when to stop, and when to let readers of the board look again."""

    def __init__(self, stop: Event, rest: float, keep: Callable[[], object]) -> None:
        self._stop = stop
        self._rest = rest
        self._keep = keep
        self._began = self._shown_at = self._kept_at = monotonic()
        self.unshown = False

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def is_time_to_show(self) -> bool:
        self.unshown = monotonic() - self._shown_at < SHOWN_EVERY_SECONDS
        if not self.unshown:
            self._shown_at = monotonic()
        return not self.unshown

    def end_slice(self) -> None:
        if self._rest:
            self._stop.wait(self._rest * (monotonic() - self._began))
        if monotonic() - self._kept_at > KEPT_EVERY_SECONDS:
            self._keep()
            self._kept_at = monotonic()
        self._began = monotonic()


def _count_replies(store: Store, pace: _Pace) -> int:
    after: ReplyKey | None = None
    read = 0
    while not pace.stopped and (replies := store.read.uncounted_replies(after=after, limit=AT_ONCE)):
        styles = [ReplyStyle(reply.key, style_of([reply.text])) for reply in replies]
        store.write.store_reply_styles(styles, show=pace.is_time_to_show()).result()
        after, read = replies[-1].key, read + len(replies)
        pace.end_slice()
    return read


def _read_source(store: Store, source: Source, pace: _Pace, progress: Progress) -> int:
    after, read = -1, 0
    while not pace.stopped:
        texts = store.read.unread_texts(source.id, after=after, limit=AT_ONCE)
        if not texts:
            store.write.finish_source(source.id, classifier=CLASSIFIER).result()
            pace.unshown = False
            break
        found = [_finding(text) for text in texts]
        if not store.write.store_findings(source.id, found, show=pace.is_time_to_show()).result():
            break  # it is being removed
        after, read = texts[-1].position, read + len(texts)
        progress(f"Reading {source.name}", (after + 1) / source.votes)
        pace.end_slice()
    return read


def _finding(text: UnreadText) -> Finding:
    language = text.language or language_of(text.said.prompts)
    told = any(text.said.answers_a) or any(text.said.answers_b)
    a, b = text.style_a, text.style_b
    return Finding(
        position=text.position,
        language=None if language == UNDETERMINED else language,
        style_a=_style(text.said.answers_a, stated=a, other=b) if told else None,
        style_b=_style(text.said.answers_b, stated=b, other=a) if told else None,
    )


def _style(answers: Sequence[str], *, stated: StyleFigures, other: StyleFigures) -> Style:
    """One side's figures: two of one kind are compared, so that both are the file's or both are counted."""
    counted = style_of(answers)
    figures = zip(counted, stated, other, strict=True)
    return Style(*(mine if given is None or theirs is None else given for mine, given, theirs in figures))
