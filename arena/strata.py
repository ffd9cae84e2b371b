"""Pure: what kind of battle is it? The categories that a leaderboard can be filtered by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arena.fences import has_code, without_code
from arena.language import UNDETERMINED, language_of
from leaderboard.style import estimated_tokens

# Chatbot Arena's "longer query" begins at 500 tokens; vendors count tokens differently, bytes / 4 is the same for all.
LONG_PROMPT_TOKENS = 500

# LaTeX: display and inline delimiters, or a command that only mathematics uses. One dollar is money unless its pair
# closes on the same line around something that only a formula holds.
_LATEX = re.compile(
    r"\$\$[^$]+\$\$"
    r"|\\\[|\\\("
    r"|\\begin\{(?:equation|align|gather|matrix|[pbv]matrix|cases)\*?\}"
    r"|\\(?:frac|sqrt|sum|int|prod|lim|cdot|times|leq|geq|neq|infty|alpha|beta|theta|pi|mathbb|mathrm)(?![a-zA-Z])"
    r"|\$[^$\n]{0,200}[\\^_=][^$\n]{0,200}\$"
)

# Arithmetic: two numbers with an operator between them and a question or an equals sign about, so that dates
# (2024-08-14), ranges (3-5), scores and paths (24/7) stay out: only plus, times, divide and power signs count bare.
_ARITHMETIC = re.compile(
    r"\d[ \t]{0,3}[+*\u00d7\u00f7^][ \t]{0,3}\d"
    r"|\d[ \t]{1,3}[-\u2212\u2013/][ \t]{1,3}\d"
    r"|\d[ \t]{0,3}[-\u2212\u2013/][ \t]{0,3}\d[\d.,]{0,20}[ \t]{0,3}="
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The categories of one battle; `language` is the ISO 639-1 code of the prompts, "und" when it cannot be told."""

    multi_turn: bool
    long_prompt: bool
    code: bool
    maths: bool
    language: str


NO_STRATUM = Stratum(multi_turn=False, long_prompt=False, code=False, maths=False, language=UNDETERMINED)


def classify(prompts: Sequence[str], answers: Sequence[str], *, language: str | None = None) -> Stratum:
    """Sort a battle by its prompts and its finished answers, in any order.

    `multi_turn`: two prompts or more. `long_prompt`: all prompts together reach 500 tokens, counted as
    ceil(UTF-8 bytes / 4). `code`: a fenced block anywhere. `maths`: LaTeX or arithmetic anywhere outside such blocks.
    `language`: the one that is given, or what `arena.language` tells from the prompts alone.
    """
    texts = (*prompts, *answers)
    return Stratum(
        multi_turn=len(prompts) > 1,
        long_prompt=estimated_tokens(prompts) >= LONG_PROMPT_TOKENS,
        code=any(has_code(text) for text in texts),
        maths=any(_is_maths(without_code(text)) for text in texts),
        language=language or language_of(prompts),
    )


def _is_maths(text: str) -> bool:
    return bool(_LATEX.search(text) or _ARITHMETIC.search(text))
