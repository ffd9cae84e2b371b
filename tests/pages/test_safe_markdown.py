import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from safe_inline import LONGEST_SPAN
from safe_markdown import SafeMarkdown, is_bearable, safe_markdown, split_thought

J = "\u2060"
B = "\ufeff"
OVERSIZED = r"$\text{\textbackslash rule}{9999em}{1em} \kern.5em \text{\textbackslash hspace*}{-100em}$"
COMMONMARK = MarkdownIt("commonmark")

# Pieces whose meetings are dangerous: fences, containers, formulas, code, images, tags, tables, half of each.
PIECES = [
    *("\n", "\n", "\n\n", " ", "  ", "    ", "\t", "\r\n", "\\", "word", "b", "5", "x^2", "=", "<b>", "<img src=x>"),
    *("> ", "- ", "1. ", "+ ", "# ", "--", "|", "|--|--|\n", "`", "``", "```", "~~~", "~", "~~", "```mermaid\n"),
    *("$", "$$", "\\(", "\\)", "\\[", "\\]", "\\`", "\\$", "[^1]", "[a]: /u", "</", "<!--", "-->", " -> ", "<-", ">="),
    *("![", "[", "](", ")", "]", "](http://evil.example/i.png)", "![a](//evil.example)", "```py\n"),
    *(":red[", ":smile:", ":material/home:", "::note", ":"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


@pytest.mark.parametrize(
    ("written", "prepared"),
    [
        ("$5 and $6", r"\$5 and \$6"),
        ("$5, formula $x^2$", r"\$5, formula $x^2$"),
        ("$5 to 10$", r"\$5 to 10\$"),
        ("$100,000-$200,000", r"\$100,000-\$200,000"),
        ("set $HOME:$PATH and $HOME/my_dir:$PATH", r"set \$HOME:\$PATH and \$HOME/my_dir:\$PATH"),
        ("the $n$th of $k$-th, $ x^2 $, $5$", "the $n$th of $k$-th, $x^2$, $5$"),
        (r"\(x\) is \[ y \]", "$x$ is $y$"),
        (r"\(x\)2, \(y\)$z$", f"$x${J}2, $y${J}$z$"),
        (r"\(\$5\)", r"$$ \$5 $$"),
        ("$a\nb = c$", "$a b = c$"),
        ("$x `y` z$", r"\$x `y` z\$"),
        (r"costs \$5", r"costs \$5"),
        ("H~2~O ~~gone~~", r"H\~2\~O ~~gone~~"),
        ("a -> b <- c -- d", f"a -{J}> b <{J}- c -{J}- d"),
        ("x >= y <= z ~= w <-> v", f"x >{J}= y <{J}= z \\~{J}= w <-{J}> v"),
        ("**a**-> b and p->q", f"**a**-{J}> b and p->q"),
        (":red[x] :small[y] ::note :help", r"\:red[x] \:small[y] :\:note \:help"),
        (":smile: \\:smile: :material/home: :streamlit:", f":{J}smile: \\:{J}smile: :{J}material/home: :{J}streamlit:"),
        ("at 10:30, see https://a.example/x:y?~z", "at 10:30, see https://a.example/x:y?~z"),
        ("![a](http://x) ![](//y)", "🖼️ [a](http://x) 🖼️ [image](//y)"),
        ("![a][r] [![b](i)](l)", r"\![a][r] [🖼️ [b](i)](l)"),
        ("![a]: /u", r"\![a]: /u"),
        ("<b>x</b> <!-- y --> 1<2", f"\\<b>x\\</b> \\<!-- y -{J}-> 1<2"),
        ("<https://a.example/b>", "<https://a.example/b>"),
        ("[x](javascript:alert(1))", r"[x]\(javascript\:alert(1))"),
        ("[x](https://a.example) [y](/models)", "[x](https://a.example) [y](/models)"),
        ("word[^1]\n\n[^1]: note", "word\\[^1]\n\n\\[^1]: note"),
        ("`a\n<!-- ` ![x](y)", "`a\n\\<!-- ` 🖼️ [x](y)"),
        ("`<b> ![x](y) $5 :red[z]`", "`<b> ![x](y) $5 :red[z]`"),
        ("`` a ` <b> `` and ` <i>", r"`` a ` <b> `` and ` \<i>"),
        ("# Title: $5", r"# Title: \$5"),
        ("https://a.example/b<i>x", f"https://a.example/b{B}\\<i>x"),
        ("www.a.example<i> and 1<i>", f"www.a.example{B}\\<i> and 1\\<i>"),
        ("https://a.example/$x/{y:z<i>", f"https://a.example/{B}\\$x/{{y\\:z\\<i>"),
        ("https://a.example/{y:z !^[^1]", f"https://a.example/{{y{B}\\:z !^\\[^1]"),
        ("https://a.example/b\\<i>", "https://a.example/b\\<i>"),
        ("https://:red[x] https://a_b:red[x]", r"https://\:red[x] https://a_b\:red[x]"),
        ("https://a_b.c.example/x:y", "https://a_b.c.example/x:y"),
        (r"$\rule{9999em}{1em} \kern.5em \hspace*{-100em}$", OVERSIZED),
    ],
)
def test_what_is_written_is_what_will_be_shown(written: str, prepared: str) -> None:
    assert safe_markdown(written) == prepared


@pytest.mark.parametrize(
    ("written", "prepared"),
    [
        ("```mermaid\ngraph\n```", "```text\ngraph\n```"),
        ("```Mermaid {x}\ngraph", "```text\ngraph"),
        ("```py title=x\na -> b\n```", "```py\na -> b\n```"),
        ("~~~&#109;ermaid\nx\n~~~", "~~~text\nx\n~~~"),
        ("> ```mermaid\n> x\n\n<b>", "> ```text\n> x\n\n\\<b>"),
        ("    ![a](b)\n    <b>", "```\n![a](b)\n<b>\n```"),
        ("    ```\n", "````\n```\n````\n"),
        ("$$x$$", "$$\nx\n$$"),
        ("$$x$$.", "$$\nx.\n$$"),
        ("see\n\\[\nx\n+ y\n= z\n\\],\nend", "see\n$$\nx\n+ y\n= z,\n$$\nend"),
        ("- $$a$$\n- b", "- $$\n  a\n  $$\n- b"),
        ("> \\[a\n> b\\]", "> $$\n> a\n> b\n> $$"),
        ("$$a$$ and $$b$$", "$a$ and $b$"),
        ("$$\nx\n\ny", "\\$\\$\nx\n\ny"),
        ("| a | b |\n|--|:-:|\n| ` | ![](x) ` |", "| a | b |\n|--|:-:|\n| ` | 🖼️ [image](x) ` |"),
        ("Title\n--\n\n---\n\ntext", "Title\n--\n\n---\n\ntext"),
    ],
)
def test_blocks_keep_their_form(written: str, prepared: str) -> None:
    assert safe_markdown(written) == prepared


@settings(deadline=None)
@given(texts, st.lists(st.integers(min_value=0, max_value=200), max_size=8))
def test_the_way_a_text_grows_does_not_matter(text: str, cuts: list[int]) -> None:
    growing = SafeMarkdown()
    for cut in sorted(cuts):
        assert growing.update(text[:cut]) == safe_markdown(text[:cut])

    assert growing.update(text) == safe_markdown(text)


@pytest.mark.parametrize("shift", range(-6, 7))
@pytest.mark.parametrize("sign", ["`", "``", "$", "$$"])
def test_a_span_that_ends_out_of_reach_hides_nothing(sign: str, shift: int) -> None:
    inside = "x^2 ![x](http://evil.example/i.png) "
    written = f"{sign}{inside.ljust(LONGEST_SPAN + shift, '=')}{sign}{sign[0]} and {sign} again"

    tokens = _flat(COMMONMARK.parse(safe_markdown(written)))

    assert "image" not in [token.type for token in tokens]


@pytest.mark.timeout(30)  # what takes time in proportion to the text is done in one; its square would take minutes
@pytest.mark.parametrize("part", ["$a ", r"\(", r"\[", "http://a_<"])
def test_a_hostile_text_is_prepared_in_time(part: str) -> None:
    assert safe_markdown(part * (400_000 // len(part)))


@pytest.mark.parametrize("part", ["<b>*x_", "[a][", "a**b ", "1. ", "> ", "- 1) + ", "- a\n ", "$x$ ", "\n", "a:b "])
def test_what_would_stop_a_browser_is_not_shown_as_markdown(part: str) -> None:
    assert not is_bearable(part * (100_000 // len(part)))


def test_a_long_ordinary_answer_is_shown_as_markdown() -> None:
    paragraph = "It is **quite** ordinary, with `code` and a [link](https://a.example), and goes on. " + "word " * 60
    block = "```py\n" + 'print("x", 1 + 2)  # y\n' * 20 + "```\n\n> > - 1. deep\n\n"

    assert is_bearable(f"{paragraph}\n\n{block}" * 13)
    assert is_bearable(f"{paragraph}\n\n" * 250)


@settings(deadline=None)
@given(texts)
def test_a_reader_of_commonmark_finds_no_image_and_no_html(text: str) -> None:
    tokens = _flat(COMMONMARK.parse(safe_markdown(text)))

    assert not [token.type for token in tokens if token.type in {"image", "html_inline", "html_block"}]


@settings(deadline=None)
@given(texts)
def test_outside_code_nothing_is_left_to_interpret(text: str) -> None:
    text = text.replace("$", "").replace("\\", "")  # inside formulas nothing is looked for
    plain = "\n".join(token.content for token in _flat(COMMONMARK.parse(safe_markdown(text))) if token.type == "text")

    assert not re.search(r":(?:material/|[\w+-]+:)|(?:^|\s)(?:->|<-|--|>=|<=)(?:\s|$)", plain, re.ASCII), plain


@settings(deadline=None)
@given(texts)
def test_code_is_shown_byte_for_byte(text: str) -> None:
    text = text.replace("\r\n", "\n").translate({ord(sign): None for sign in "$\\|<^:"})

    assert _code(safe_markdown(text)) == _code(text)


def test_finished_blocks_are_prepared_once() -> None:
    growing = SafeMarkdown()
    growing.update("one $x$\n\ntwo\n\nthree")

    assert growing._source == "one $x$\n\n"


def test_another_text_starts_over() -> None:
    growing = SafeMarkdown()
    growing.update("one\n\ntwo\n\nthree\n")

    assert growing.update("a <b>") == r"a \<b>"


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("plain <think>", "", "plain <think>"),
        ("<think>hm", "hm", ""),
        ("\n<think>\nhm\n</think>\n\nyes", "hm", "yes"),
        ("<thinking>a</think>b</thinking>c", "a</think>b", "c"),
    ],
)
def test_thinking_is_parted_from_the_answer(text: str, thought: str, answer: str) -> None:
    parted = split_thought(text)

    assert (parted.thought, parted.answer) == (thought, answer)


def _flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in [token, *_flat(token.children or [])]]


def _code(text: str) -> list[str]:
    tokens = _flat(COMMONMARK.parse(text))
    return [token.content for token in tokens if token.type in {"fence", "code_block", "code_inline"}]
