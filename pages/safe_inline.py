r"""The inside of one paragraph, heading or table cell made plain: one scan, one rule per pattern.

Where Streamlit looks for a pattern while parsing, a backslash makes it text; where it looks afterwards (emoji, arrows),
an invisible joiner takes the pattern apart.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

JOINER: Final = "\u2060"  # invisible, no line break, and no part of any of Streamlit's patterns


@dataclass(frozen=True, slots=True)
class _Replaced:
    text: str
    end: int  # where the scan goes on


def inline(text: str) -> str:
    """One paragraph, heading or table cell with everything but code spans and formulas made plain."""
    ready: list[str] = []
    position = 0
    while match := _SPECIAL.search(text, position):
        replaced = _RULES[match.lastgroup or "keep"](match)
        ready += text[position : match.start()], replaced.text
        position = replaced.end
    return "".join([*ready, text[position:]])


def _keep(match: re.Match[str]) -> _Replaced:
    return _Replaced(match[0], match.end())


def _escape(match: re.Match[str]) -> _Replaced:
    return _Replaced("\\" + match[0], match.end())


def _code(match: re.Match[str]) -> _Replaced:
    """Up to the next run of as many backticks; without one, or when a block would begin before it, they are text."""
    closer = re.compile(rf"(?<!`)`{{{len(match[0])}}}(?!`)").search(match.string, match.end())
    if closer is None or _BLOCK_START.search(match.string, match.start(), closer.end()):
        return _keep(match)
    return _Replaced(match.string[match.start() : closer.end()], closer.end())


def _bracket(match: re.Match[str]) -> _Replaced:
    r"""A formula between `\(` and `\)`, or `\[` and `\]`; without an end, an escaped bracket."""
    end = match.string.find("\\" + ("]" if match[0] == r"\[" else ")"), match.end())
    formula = match.string[match.end() : max(end, 0)]
    if not formula.strip() or "`" in formula or "$$" in formula:
        return _keep(match)
    return _Replaced(_inline_math(formula, match.string[end + 2 :]), end + 2)


def _dollar(match: re.Match[str]) -> _Replaced:
    """A formula between dollar signs, or money."""
    text = match.string
    closer = _DOLLAR_END.search(text, match.end())
    if closer and closer[0] == match[0]:
        formula, after = text[match.end() : closer.start()], text[closer.end() :]
        is_display = match[0] == "$$" and bool(formula.strip()) and "`" not in formula
        if is_display or (match[0] == "$" and _reads_as_formula(formula, text[: match.start()][-1:], after[:1])):
            return _Replaced(_inline_math(formula, after), closer.end())
    return _Replaced(r"\$" * len(match[0]), match.end())


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
    apart = JOINER if after[:1].isdigit() or after[:1] in {"$", "\\"} else ""
    return (f"$$ {line} $$" if "$" in line else f"${line}$") + apart


def tex(formula: str) -> str:
    """The formula with blanks, which mean nothing in TeX, where Markdown would see an image or a tag."""
    return re.sub(r"!(?=\[)|<(?=[A-Za-z/!?])", r"\g<0> ", formula)


_BLOCK_START: Final = re.compile(r"\n[\s>]*(?:<|::|\$\$|\[\^)")  # for the front-end: HTML, directive, formula, footnote
_DOLLAR_END: Final = re.compile(r"(?<!\\)\$+")
_TEX_SIGN: Final = re.compile(r"[\\^{}=]|(?<=[A-Za-z])_\w\b")
_PROSE: Final = re.compile(r"[A-Za-z]{4}|^\s*\d[\d.,]*\s+[A-Za-z]{2}")

_EDGE: Final = r"\s*_`~()\[\]\"'|$>"  # beside these a text begins or ends for Streamlit's typographic replacements
_SPECIAL: Final = re.compile(
    rf"""
      (?P<joined> \\?: (?=material/|[\w+-]+\\?:) )          # :smile:  :material/home:
    | (?P<bracket> \\[\(\[] )
    | (?P<escaped> \\[!-/:-@\[-`{{-~] )
    | (?P<code> `+ )
    | (?P<address> (?<![A-Za-z])https?://[\w.~/?\#@&=+%,;:-]* | <(?:https?://|mailto:)[^\s<>`]*> )
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
