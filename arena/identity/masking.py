"""Finds names in an answer while it is being written, and hides them; the same ones however the answer is cut."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.identity.folding import UNSEEN, fold
from arena.identity.grammar import LEAKED, TYPED
from arena.identity.names import Names
from arena.identity.reading import SPAN, Finding, NeedsMoreText, Reader
from arena.identity.typed import Typed

MASK = "[model name]"

_BEFORE = 200
_OPEN_NATIVE = 24

_WORD = re.compile(rf"(?:[a-z]{UNSEEN}{{0,3}})+\*?|[0-9]+")
# Two letters of one word. In Chinese, Japanese and Thai a name may begin anywhere, in Arabic behind a prefix.
_INSIDE = re.compile("[a-z0-9]{2}|[\u0370-\u058f]{2}|[\u0900-\u0dff]{2}|[\uac00-\ud7af]{2}")
_MAY_SETTLE = re.compile(r"[.!?。।؟…\n]")


@dataclass(frozen=True, slots=True)
class Span:
    """A name that gives a model away: `matched` is what stands in the answer at [start, end)."""

    start: int
    end: int
    matched: str


def leaks(answer: str, *, names: Names, prompts: Iterable[str] = ()) -> tuple[Span, ...]:
    """The names in a finished answer that give a model away, in their order; empty when the vote can count."""
    masker = Masker(names, prompts)
    masker.feed(answer)
    masker.finish()
    return masker.spans


def masked(answer: str, *, names: Names, prompts: Iterable[str] = ()) -> str:
    """A finished answer with each of its leaks replaced by `[model name]`."""
    masker = Masker(names, prompts)
    return masker.feed(answer) + masker.finish()


class Masker:
    """Hides names in an answer that comes in pieces.

    What all calls return, put together, is `masked` of the whole answer, however it was cut. At most 200 characters are
    held back: usually none, a few letters while a word may still become a name, half a line behind a name. Not to be
    used from several threads at once.
    """

    def __init__(self, names: Names, prompts: Iterable[str] = ()) -> None:
        self._names = names
        self._reader = Reader(names, Typed.of(prompts, names=names))
        self._spans: list[Span] = []
        self._raw = ""  # what is held back
        self._folded = ""  # the same, folded
        self._offset = 0  # where it begins in the answer
        self._before = "\n"  # what was shown just before, folded
        self._enough = 0  # how long it must grow before another look can settle anything

    @property
    def spans(self) -> tuple[Span, ...]:
        """The leaks found so far, placed as in the original answer."""
        return tuple(self._spans)

    @property
    def held_characters(self) -> int:
        """How much of the answer waits to be shown; at most 200."""
        return len(self._raw)

    def feed(self, chunk: str) -> str:
        """What can be shown now; may be empty."""
        self._raw += chunk
        self._folded += fold(chunk)
        fresh = len(self._raw) - len(chunk) - 1
        if len(self._raw) < self._enough and not _MAY_SETTLE.search(self._folded, max(0, fresh)):
            return ""
        return self._settle(final=False)

    def finish(self) -> str:
        """The rest, at the end of the answer."""
        return self._settle(final=True)

    def _settle(self, *, final: bool) -> str:
        words = list(_WORD.finditer(self._folded))
        shown: list[str] = []
        done = place = 0  # what is shown, what is read
        for start, end in self._candidates(words):
            if start < place:
                continue
            if self._is_inside_a_word(start, done):
                place = end
                continue
            before = self._context(done, start)
            try:
                reading = self._reader.read(self._raw, self._folded, start, before=before, final=final)
            except NeedsMoreText as needs:
                self._enough = needs.length - start
                return "".join([*shown, self._release(done, start)])
            place = reading.end
            match reading.finding:
                case Finding.LEAK:
                    shown += [self._raw[done:start], MASK]
                    self._spans.append(self._span(start, place))
                    self._before = before + LEAKED
                    done = place
                case Finding.TYPED:
                    shown.append(self._raw[done:place])
                    self._before = before + TYPED
                    done = place
                case Finding.NOTHING:
                    pass
        self._enough = 0
        keep = len(self._folded) if final else max(place, self._open_end(words))
        return "".join([*shown, self._release(done, keep)])

    def _candidates(self, words: Sequence[re.Match[str]]) -> Sequence[tuple[int, int]]:
        """Where a name may begin, in order, and how far what is there reaches."""
        firsts = self._names.firsts
        latin = [word.span() for word in words if word[0].replace(UNSEEN, "") in firsts]
        if self._folded.isascii():
            return latin
        return sorted(latin + [match.span() for match in self._names.native_pattern.finditer(self._folded)])

    def _is_inside_a_word(self, start: int, done: int) -> bool:
        last = self._context(done, start, length=4).rstrip(UNSEEN)[-1:]
        return _INSIDE.fullmatch(last + self._folded[start]) is not None

    def _open_end(self, words: Sequence[re.Match[str]]) -> int:
        """Where a name may have begun that the text, as it ends now, cuts in two; the end if there is none."""
        length = len(self._folded)
        ends = [length]
        if words and words[-1].end() == length and words[-1][0].replace(UNSEEN, "") in self._names.beginnings:
            ends.append(words[-1].start())
        tail = self._folded[-_OPEN_NATIVE:]
        if not tail.isascii():
            ends += [
                length - size
                for size in range(1, len(tail) + 1)
                if tail[-size:].replace(UNSEEN, "") in self._names.native_beginnings
            ]
        return max(min(ends), length - SPAN)

    def _release(self, done: int, keep: int) -> str:
        """Let go of everything before `keep`, and return what of it is not shown yet."""
        piece = self._raw[done:keep]
        self._before = self._context(done, keep)
        self._raw, self._folded = self._raw[keep:], self._folded[keep:]
        self._offset += keep
        return piece

    def _context(self, done: int, start: int, *, length: int = _BEFORE) -> str:
        return (self._before + self._folded[max(done, start - length) : start])[-length:]

    def _span(self, start: int, end: int) -> Span:
        return Span(self._offset + start, self._offset + end, self._raw[start:end])
