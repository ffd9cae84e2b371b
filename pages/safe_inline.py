r"""The inside of one paragraph, heading or table cell made plain: one scan, one rule per pattern.

Where Streamlit looks for a pattern while parsing, a backslash makes it text; where it looks afterwards (emoji, arrows),
an invisible joiner takes the pattern apart.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

JOINER: Final = "\u2060"  # invisible, no line break, and no part of any of Streamlit's patterns
# What is looked for where no backslash helps: emoji, icons, addresses, arrows.
JOINED: Final = re.compile(r":(?=//|material/|[\w+-]+:)|@(?=\w)|www(?=\.)|[-<>~](?=[-=>])", re.ASCII | re.IGNORECASE)
LONGEST_SPAN: Final = 2_000  # characters of a formula or code span: so far each sign that opens one looks for its end
BREAK: Final = "\ufeff"  # invisible, and white space to the front-end: a bare address would swallow a backslash


@dataclass(frozen=True, slots=True)
class _Replaced:
    text: str
    end: int  # where the scan goes on


def inline(text: str) -> str:
    """One paragraph, heading or table cell with everything but code spans and formulas made plain."""
    ready: list[str] = []
    position, address_end = 0, -1
    while match := _SPECIAL.search(text, position):
        replaced = _RULES[match.lastgroup or "keep"](match)
        ready += text[position : match.start()], replaced.text
        if match.start() <= address_end and replaced.text[0] == "\\" != match[0][0]:
            ready.insert(-1, BREAK)
            address_end = -1
        if match.lastgroup == "address" and (space := _ADDRESS_END.search(text, match.end())):
            address_end = space.start()
        position = replaced.end
    return "".join([*ready, text[position:]])


def _keep(match: re.Match[str]) -> _Replaced:
    return _Replaced(match[0], match.end())


def _escape(match: re.Match[str]) -> _Replaced:
    return _Replaced("\\" + match[0], match.end())


def _code(match: re.Match[str]) -> _Replaced:
    """Up to the next run of as many backticks; without one, or when a block would begin before it, they are text."""
    closer = _closer(_ticks(len(match[0])), match)
    if closer is None or _BLOCK_START.search(match.string, match.start(), closer.end()):
        return _keep(match)
    return _Replaced(match.string[match.start() : closer.end()], closer.end())


def _bracket(match: re.Match[str]) -> _Replaced:
    r"""A formula between `\(` and `\)`, or `\[` and `\]`; without an end, an escaped bracket."""
    end = match.string.find("\\" + ("]" if match[0] == r"\[" else ")"), match.end(), match.end() + LONGEST_SPAN)
    formula = match.string[match.end() : max(end, 0)]
    if not formula.strip() or "`" in formula or "$$" in formula:
        return _keep(match)
    return _Replaced(_inline_math(formula, match.string[end + 2 : end + 3]), end + 2)


def _dollar(match: re.Match[str]) -> _Replaced:
    """A formula between dollar signs, or money."""
    text = match.string
    closer = _closer(_DOLLAR_END, match)
    if closer and closer[0] == match[0]:
        formula, after = text[match.end() : closer.start()], text[closer.end() : closer.end() + 1]
        is_display = match[0] == "$$" and bool(formula.strip()) and "`" not in formula
        before = text[max(match.start() - 1, 0) : match.start()]
        if is_display or (match[0] == "$" and _reads_as_formula(formula, before, after)):
            return _Replaced(_inline_math(formula, after), closer.end())
    return _Replaced(r"\$" * len(match[0]), match.end())


def _closer(end: re.Pattern[str], match: re.Match[str]) -> re.Match[str] | None:
    """The first `end` within reach; one that touches the limit may go on behind it, and counts for nothing."""
    limit = match.end() + LONGEST_SPAN
    closer = end.search(match.string, match.end(), limit)
    return None if closer is None or closer.end() == limit else closer


@lru_cache
def _ticks(count: int) -> re.Pattern[str]:
    """Exactly so many backticks."""
    return re.compile(rf"(?<!`)`{{{count}}}(?!`)")


def _reads_as_formula(formula: str, before: str, after: str) -> bool:
    """Whether `$formula$` is mathematics, not "$5 and $6" or "$5 to 10$" or "$HOME:$PATH": pandoc's rule and more."""
    padded = formula[0].isspace()
    if "`" in formula or after.isdigit() or padded != formula[-1].isspace():
        return False
    if _TEX_SIGN.search(formula):
        return True
    return not (padded or before.isalnum() or (after.isalpha() and len(formula) > len("abc")) or _PROSE.search(formula))


def _inline_math(formula: str, after: str) -> str:
    """In one line and without padding, or the front-end would not load its typesetter."""
    line = tex(re.sub(r"\s*\n[\s>]*", " ", formula)).strip()
    apart = JOINER if after.isdigit() or after in {"$", "\\"} else ""
    return (f"$$ {line} $$" if "$" in line else f"${line}$") + apart


def tex(formula: str) -> str:
    """The formula with blanks, which mean nothing in TeX, where Markdown would see an image or a tag.

    A command that would paint or push over the whole answer is shown by its name instead.
    """
    formula = _OVERSIZED.sub(r"\\text{\\textbackslash \1}", formula)
    return re.sub(r"!(?=\[)|<(?=[A-Za-z/!?])", r"\g<0> ", formula)


_ADDRESS_END: Final = re.compile(r"[\s<]|\Z")  # of a bare address, for the front-end
_BLOCK_START: Final = re.compile(r"\n[\s>]*(?:<|::|\$\$|\[\^)")  # for the front-end: HTML, directive, formula, footnote
_DOLLAR_END: Final = re.compile(r"(?<!\\)\$+")
_TEX_SIGN: Final = re.compile(r"[\\^{}=]|(?<=[A-Za-z])_\w\b")
_OVERSIZED: Final = re.compile(r"\\(rule|raisebox|[hv]space\*?|[hmv]skip|m?kern)(?=[^A-Za-z][^\\]{0,40}?\d{3})")
_PROSE: Final = re.compile(r"[A-Za-z]{4}|^\s*\d[\d.,]*\s+[A-Za-z]{2}")

_EDGE: Final = r"\s*_`~()\[\]\"'|$>"  # beside these a text begins or ends for Streamlit's typographic replacements
_NO_DOMAIN: Final = r"[\w.-]*_[\w-]*(?:\.[\w-]*)?(?![\w.-])"  # an underscore in one of its last two parts
_SPECIAL: Final = re.compile(
    rf"""
      (?P<joined> \\?: (?=material/|[\w+-]+\\?:) )          # :smile:  :material/home:
    | (?P<bracket> \\[\(\[] )
    | (?P<escaped> \\[!-/:-@\[-`{{-~] )
    | (?P<code> `+ )
    | (?P<address> (?:(?<![A-Za-z])https?://|(?<![\w.])www\.)(?=[A-Za-z\d])(?!{_NO_DOMAIN})[\w.~/?\#@&=+%,;:-]*
                 | <(?:https?://|mailto:)[^\s<>`]*> )
    | (?P<arrow> (?<![^{_EDGE}])(?:<->|->|<-|--|>=|<=|~=)(?![^{_EDGE}]) )
    | (?P<tilde> (?<!~)~(?!~) )                              # H~2~O
    | (?P<tag> <(?=[A-Za-z/!?]) )
    | (?P<picture> !\[(?=[^\[\]]*\]\() )
    | (?P<mark> !(?=\[) | \[(?=\^) )                         # other images, footnotes
    | (?P<link> (?<=\])\((?=\s*<?\s*(?!https?:|mailto:)[A-Za-z][A-Za-z0-9+.-]*:) )
    | (?P<dollar> \$+ )
    | (?P<colon> :(?=[A-Za-z]) )                             # :red[x]  ::note
    """,
    re.VERBOSE | re.ASCII,
)
_RULES: Final[Mapping[str, Callable[[re.Match[str]], _Replaced]]] = {
    # What is looked for after parsing is taken apart, for a backslash would not help there.
    "joined": lambda match: _Replaced(match[0] + JOINER, match.end()),
    "arrow": lambda match: _Replaced(match[0].replace("~", r"\~")[:-1] + JOINER + match[0][-1], match.end()),
    # A link in place of a picture that the browser would fetch.
    "picture": lambda match: _Replaced("🖼️ [" + "image" * match.string.startswith("]", match.end()), match.end()),
    "bracket": _bracket,
    "code": _code,
    "dollar": _dollar,
    "escaped": _keep,
    "address": _keep,
    "keep": _keep,
    "tilde": _escape,
    "tag": _escape,
    "mark": _escape,
    "link": _escape,
    "colon": _escape,
}
