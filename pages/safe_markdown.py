r"""Model output made safe and faithful for `st.markdown`.

Streamlit reads more than Markdown: `:red[x]`, `:smile:` and ` -> ` are rewritten, images are fetched, one formula turns
every dollar sign into mathematics, and `\( \)` is not known. Answers are prepared here so that a reader sees what the
model wrote and the browser fetches nothing. Code is copied byte for byte; what is in doubt is text, never code.

The block structure comes from a CommonMark parser, as the front-end's does; `safe_inline` treats what stands inside.
"""

import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from safe_inline import inline, tex

MARKS: Final = string.punctuation + "\n"
MOST_MARKS: Final = 8_000


@dataclass(frozen=True, slots=True)
class Thought:
    """An answer parted from the thinking some models write before it; `thought` is empty when there is none."""

    thought: str
    answer: str


def split_thought(text: str) -> Thought:
    """Part a leading `<think>…</think>` from the answer; while it is open, all text is thought."""
    opening = _THINK.match(text)
    if opening is None:
        return Thought("", text)
    thought, _, answer = text[opening.end() :].partition(f"</{opening[1]}>")
    return Thought(thought.strip(), answer.lstrip("\n"))


class SafeMarkdown:
    """Prepares one growing text: finished blocks once, and only the open tail again.

    The result depends on the text alone, not on how it came in pieces; a text that does not continue the last one
    starts over.
    """

    def __init__(self) -> None:
        self._source = ""  # what is finished, as it came
        self._ready = ""  # the same, prepared

    def update(self, text: str) -> str:
        """The whole of `text`, ready for `st.markdown(…, anchors=False)`."""
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        if not text.startswith(self._source):
            self._source = self._ready = ""
        lines = text[len(self._source) :].split("\n")
        tokens = _parse(lines)
        segments = list(_segments(lines, tokens))
        prepared = self._ready + "\n".join(segment.text for segment in segments)
        settled = _settled_lines(tokens, complete=len(lines) - 1)
        self._source += "".join(f"{line}\n" for line in lines[:settled])
        self._ready += "".join(f"{segment.text}\n" for segment in segments if segment.start < settled)
        return prepared


def safe_markdown(text: str) -> str:
    """A finished text, ready for `st.markdown(…, anchors=False)`."""
    return SafeMarkdown().update(text)


def is_bearable(text: str) -> bool:
    """Whether a browser can lay `text` out as Markdown in a few seconds; what is too much is shown as plain text.

    A browser's time grows with the square of the marks in a paragraph and the depth of its lists: a hostile answer
    would stop every tab that looks at it. An ordinary one of 100,000 characters has some 5,000 marks.
    """
    return sum(map(text.count, MARKS)) <= MOST_MARKS and not _DEEP.search(text)


_THINK = re.compile(r"\s*<(think|thinking|thought)>")


def _parse(lines: list[str]) -> list[Token]:
    text = "\n".join(lines)
    return _PARSER.parse(text, {"line_count": len(lines) - (lines[-1] == "")})


def _block_parser() -> MarkdownIt:
    """CommonMark's blocks without raw HTML, which is escaped, and with display formulas."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.core.ruler.enableOnly(["block"])
    parser.block.ruler.before("fence", "math", _math_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return parser


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the parser's signature
    r"""A rule of the parser: `$$ … $$` or `\[ … \]` from the start of a line, over several lines but no blank one.

    Unlike a paragraph it may hold lines such as `+ b`. Unclosed at the end of the text it is open, because its closing
    line may be on its way.
    """
    closer = _MATH_CLOSERS.get(_content(state, start)[:2])
    if closer is None or state.is_code_block(start):
        return False
    line, skip = start, 2
    while (found := _content(state, line).find(closer, skip)) < 0:
        line, skip = line + 1, 0
        if line == end:
            break
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
    is_open = line == end
    if (is_open and end < state.env["line_count"]) or (
        not is_open and not _MATH_END.match(_content(state, line), found)
    ):
        return False  # its container ended, or text follows on the closing line
    if not silent:
        state.line = line + (not is_open)
        token = state.push("math", "", 0)
        token.map = [start, state.line]
        token.meta = {"open": is_open}
    return True


def _content(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


_MATH_CLOSERS: Final = {"$$": "$$", r"\[": r"\]"}
_MATH_END: Final = re.compile(r"(?:\$\$|\\\])([.,;:]?)\s*$")
_PARSER: Final = _block_parser()


def _settled_lines(tokens: list[Token], *, complete: int) -> int:
    """How many lines no later text can change: those before the last block that begins in a complete line.

    A formula that ends in no complete line may yet turn out to be part of the paragraph before it.
    """
    starts = [
        token.map[0]
        for token in tokens
        if token.level == 0
        and token.map
        and token.map[0] < complete
        and not (token.type == "math" and (token.meta["open"] or token.map[1] > complete))
    ]
    return starts[-1] if starts else 0


@dataclass(frozen=True, slots=True)
class _Segment:
    start: int  # line
    text: str


def _segments(lines: list[str], tokens: list[Token]) -> Iterator[_Segment]:
    """The prepared text: one segment per leaf block, and one per line that belongs to none."""
    position = 0
    for token in tokens:
        if token.map is None or token.type not in _LEAVES:
            continue
        start, end = token.map
        for line in range(position, start):
            yield _Segment(line, _line(lines[line]))
        yield _Segment(start, _LEAVES[token.type](lines[start:end], token))
        position = end
    for line in range(position, len(lines)):
        yield _Segment(line, _line(lines[line]))


def _line(line: str) -> str:
    """A line of no leaf block: blank, a rule, an underline, a link definition."""
    return line if _MARKUP_ONLY.fullmatch(line) else inline(line)


def _fence(lines: list[str], token: Token) -> str:
    """A code fence without what is no plain language name, and never as a diagram."""
    before = lines[0][: lines[0].index(token.markup)]
    language = (token.info.split() or [""])[0]
    if language and (not _LANGUAGE.fullmatch(language) or language.lower().startswith("mermaid")):
        language = "text"
    return "\n".join([before + token.markup + language, *lines[1:]])


def _indented_code(lines: list[str], token: Token) -> str:
    """Indented code as a fence, since Streamlit strips a text's first indentation. Nested code stays as it is."""
    if token.level:
        return "\n".join(lines)
    code = token.content.rstrip("\n")
    fence = "`" * max(3, *(len(run) + 1 for run in ["", "", *re.findall(r"`+", code)]))
    return f"{fence}\n{code}\n{fence}"


def _display_math(lines: list[str], token: Token) -> str:
    """The formula between lines that hold `$$` alone, which is the only form shown as a display."""
    if token.meta["open"]:
        return _paragraph(lines, token)
    prefix = lines[0][: len(lines[0]) - len(_CONTAINER.sub("", lines[0], count=1))]
    inner = re.sub(r"[^\s>]", " ", prefix)
    lines = [inner + lines[0][len(prefix) + 2 :].lstrip(), *lines[1:]]
    formula = _MATH_END.sub(r"\1", tex("\n".join(line for line in lines if line.strip(" >"))))
    formula = re.sub(r"\n[\s>]*(?=[.,;:]?$)", "", formula)
    return f"{prefix}$$\n{formula}\n{inner}$$"


def _paragraph(lines: list[str], _: Token) -> str:
    """Lines that share code spans, links and formulas; in a table they do not, and neither do its cells."""
    if not any(_DELIMITER_ROW.fullmatch(line) for line in lines):
        return inline("\n".join(lines))
    return "\n".join(
        line if _DELIMITER_ROW.fullmatch(line) else "|".join(map(inline, _CELL_END.split(line))) for line in lines
    )


_DEEP: Final = re.compile(r"^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){30}", re.MULTILINE)
_LEAVES: Final[Mapping[str, Callable[[list[str], Token], str]]] = {
    "fence": _fence,
    "code_block": _indented_code,
    "math": _display_math,
    "inline": _paragraph,
}
_LANGUAGE: Final = re.compile(r"[\w+#.-]+", re.ASCII)
_CONTAINER: Final = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+[\s>]*)*")
_MARKUP_ONLY: Final = re.compile(r"[\s>|:=+*-]*")
_DELIMITER_ROW: Final = re.compile(r"(?=.*[|:])[\s>]*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_CELL_END: Final = re.compile(r"(?<!\\)\|")
