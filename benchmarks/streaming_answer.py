"""The answer that the streaming benchmark sends: Markdown in which every token tells when it was sent.

Every other token is a mark: a word such as `Z0Fk3a`, of two digits for the stream and three for the millisecond. It
is a plain word, so that it comes through Markdown, safe rendering and any regrouping of the text.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

MARK_CHARACTERS = 6
# Enough for the longest delay that is measured; the clock wraps round after four minutes.
CLOCK_MS = 62**3
STREAMS = 62**2
ANSWER_END = "The end: "

_DIGITS = string.digits + string.ascii_letters
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_MARK = re.compile(r"(?<![0-9A-Za-z])Z([0-9A-Za-z]{2})([0-9A-Za-z]{3})(?![0-9A-Za-z])")
_SLOT = "@"
_SECTION = """\
## Why @ @

Because @ of **@ @** and *@ @*, the sky @ @ @ @ in `@ @`, which [@ @](https://example.com/a?b=c) @ @ explains
@ @ @ for about $5 or :red[@]: <b>@</b> @ -> @, or @ @ @ @ @ @ @ @ @ @ @ @.

- @ @ @ of @ @
- @ with `@`:
  1. @ @ @ @
  2. @ @, @ @ @

```python
def f(@, @):  # @ @ @ -> @
    return @ + "@"  # @
```

| @ | @ |
| --- | --- |
| @ @ | **@** |
| @ | `@` @ |

The formula $@^2 + @$ is \\(@_1\\), and

$$
E = @ c^2
$$

> @ @ @ @ @ @ said @ @.

"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A token as it was found in a text: which stream it belongs to, and its millisecond (modulo `CLOCK_MS`)."""

    stream: int
    sent_ms: int

    def age_ms(self, *, now_seconds: float) -> float:
        """How long ago the token was sent, by the same monotonic clock; right up to two minutes."""
        age_ms = (now_seconds * 1000 - self.sent_ms) % CLOCK_MS
        return age_ms - CLOCK_MS if age_ms > CLOCK_MS / 2 else age_ms


def answer_tokens(characters: int) -> Sequence[str]:
    """An answer of about `characters`, cut into tokens of up to seven; where a mark is to be, an `@` stands."""
    tokens: list[str] = []
    length = 0
    for token in cycle(re.findall(rf"{_SLOT} ?|[^{_SLOT}]{{1,5}}", _SECTION)):
        tokens.append(token)
        length += len(token) + (MARK_CHARACTERS - 1) * has_mark(token)
        if length >= characters:
            break
    return [*tokens, f"\n\n{ANSWER_END}{_SLOT}"]


def has_mark(token: str) -> bool:
    """Whether a token of `answer_tokens` tells when it was sent."""
    return _SLOT in token


def marked(token: str, *, stream: int, now_seconds: float) -> str:
    """The token with the mark of this moment."""
    return token.replace(_SLOT, f"Z{_digits(stream % STREAMS, 2)}{_digits(int(now_seconds * 1000) % CLOCK_MS, 3)}")


def marks_in(text: str) -> list[Mark]:
    """Every mark of a text, in its order."""
    return [Mark(_number(stream), _number(sent)) for stream, sent in _MARK.findall(text)]


def _digits(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _VALUES[digit]
    return number
