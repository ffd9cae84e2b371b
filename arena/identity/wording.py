"""What is to be known of a language: plain words, which `phrases` puts together.

Phrases are set apart by `|`, words by blanks; a word that ends with `*` stands for all that begin so. In scripts
without spaces a phrase may be given in parts. Capitals and accents make no difference.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The words of one language.

    Attributes:
        code: ISO 639-1.
        intro: what a name can follow: "I am", "my name is".
        maker: what a maker's name can follow: "my creator is".
        weak: as `intro`, where what comes behind the name must agree: 私は X **です**, 저는 X**입니다**.
        posing: "as", in "as an AI trained by X, I …".
        selves: "I" and "my", with which such a sentence goes on.
        outro: what makes the name before it an introduction: "here", "at your service", と申します.
        me: "me", which beside a word of making tells who was made.
        made: words of making.
        by: words that lead from making to a maker.
        nouns: what a machine calls itself: assistant, model.
        kin: what a family of models calls itself: family, series.
        articles: they tell "I am a Gemini" from "I am Gemini".
        joins: "and": what follows it is something else, unless a name stood before it.
        link: what else may stand between an introduction and the name.
        doubt: "if": what stands right before an introduction that is none.
        duties: what an answer breaks or keeps: "goes against" X's policy.
        rules: the policies and guidelines that it breaks or keeps.
    """

    code: str
    intro: str = ""
    maker: str = ""
    weak: str = ""
    posing: str = ""
    selves: str = ""
    outro: str = ""
    me: str = ""
    made: str = ""
    by: str = ""
    nouns: str = ""
    kin: str = ""
    articles: str = ""
    joins: str = ""
    link: str = ""
    doubt: str = ""
    duties: str = ""
    rules: str = ""
