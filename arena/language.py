"""Which language are the prompts of a battle in? Told offline, by a model of 4 MB that comes with py3langid.

Prompts are short, and a wrong label is worse than none. Two things make wrong labels rare, measured on 248 short
prompts in 33 languages and on 16,000 messages of translated programs: the candidates are languages that people write
to chatbots in (of all 140 that py3langid knows, Latin, Nigerian Pidgin or Occitan win too many short English or French
prompts), and whatever it holds for less likely than `SURE` stays undetermined.
"""

import re
from collections.abc import Sequence
from functools import cache
from threading import Lock

from py3langid import __version__
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from arena.fences import without_code

UNDETERMINED = "und"
"""ISO 639's word for a language that cannot be told."""

# The number grows with every change of what is below: stored labels say by which rule they were made.
CLASSIFIER = f"py3langid {__version__}/1"
"""What tells the language and by which rule, stored with every label."""

_WIDELY_WRITTEN = (
    "ar az bg bn ca cs da de el en es et eu fa fi fr he hi hr hu id is it ja ko lt lv mk nl no pl pt ro ru sk sl sq sr"
    " sv sw ta te th tl tr uk ur vi zh"
)
# These take nothing from the others: their scripts are their own, or nearly.
_IN_THEIR_OWN_SCRIPT = "am be gu hy ka kk km kn ky lo ml mn mr my ne pa si"
CANDIDATES: tuple[str, ...] = (*_WIDELY_WRITTEN.split(), *_IN_THEIR_OWN_SCRIPT.split())
SURE = 0.6

# So much of the text is looked at, and so much of what is left without code is judged: more adds cost, not certainty.
LOOKED_AT_CHARACTERS = 20_000
JUDGED_CHARACTERS = 1_000

_NO_LANGUAGE = re.compile(r"`[^`\n]*`|(?:https?://|www\.|@)\S+|[\d_]+")
_LOADING = Lock()


def language_of(prompts: Sequence[str]) -> str:
    """The ISO 639-1 code of the prompts together, one of `CANDIDATES`; "und" when nothing tells, as in "ok".

    Code, addresses and numbers are no language. Safe to call from many threads; the first call takes half a second.
    """
    text = _judged(prompts)
    if not text:
        return UNDETERMINED
    language, chance = prepared().classify(text)
    return str(language) if chance >= SURE else UNDETERMINED


def prepared() -> LanguageIdentifier:
    """The model, loaded at the first call and kept: 80 MB. Call it early where the first prompt must not wait."""
    with _LOADING:
        return _loaded()


def _judged(prompts: Sequence[str]) -> str:
    looked_at = "\n\n".join(prompts)[:LOOKED_AT_CHARACTERS]
    words = _NO_LANGUAGE.sub(" ", without_code(looked_at)).split()
    return " ".join(words)[:JUDGED_CHARACTERS]


@cache
def _loaded() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(CANDIDATES)
    return identifier
