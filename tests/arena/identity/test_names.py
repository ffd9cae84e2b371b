"""Which names of a pair count anywhere, and in which spellings."""

import pytest

from arena.domain import ModelSpec
from arena.identity import Names, leaks, masked


def spec(
    name: str,
    *,
    display_name: str | None = None,
    aliases: tuple[str, ...] = (),
    organisation: str | None = None,
    upstream_id: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        provider="openai_chat",
        display_name=display_name or name,
        aliases=aliases,
        organisation=organisation,
        upstream_id=upstream_id,
    )


def found(answer: str, *specs: ModelSpec) -> list[str]:
    return [span.matched for span in leaks(answer, names=Names.of(specs))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qwen2.5-coder-0.5b-instruct", "Qwen2.5-Coder-0.5B-Instruct"),
        ("qwen2.5-coder-0.5b-instruct", "Qwen2.5-Coder"),
        ("qwen2.5-coder-0.5b-instruct", "Qwen 2.5 Coder"),
        ("qwen2.5-coder-0.5b-instruct", "Qwen Coder"),
        ("qwen2.5-coder-0.5b-instruct", "qwen"),
        ("qwen2.5-coder-0.5b-instruct", "Qwen3"),
        ("qwen2.5-coder-0.5b-instruct", "通义千问"),
        ("gpt-4o-mini", "GPT-4o mini"),
        ("gpt-4o-mini", "gpt4o"),
        ("gpt-3.5-turbo", "GPT-3.5"),
        ("claude-3-5-sonnet-20241022", "Claude 3.5 Sonnet"),
        ("claude-3-5-sonnet-20241022", "Claude Sonnet"),
        ("gemini-2.0-flash", "Gemini 2.0"),
        ("gemini-2.0-flash", "Gemini Flash"),
        ("gemini-2.0-flash", "Google Gemini"),
        ("llama-3.3-70b", "Llama 3.3"),
        ("llama-3.3-70b", "Llama 70B"),
        ("meta-llama-3-8b-instruct", "Llama 3"),
        ("command-r-plus", "Command R+"),
        ("smollm2-135m-instruct", "SmolLM"),
        ("deepseek-r1", "Deep Seek"),
        ("mistral-large-2411", "Mistral Large"),
        ("nova-pro", "Amazon Nova"),
        ("zorblax-7b", "Zorblax-7B"),
        ("legal-assistant-v2", "Legal Assistant v2"),
        ("exaone-3.5-32b", "엑사원"),
    ],
)
def test_what_follows_from_a_name_counts_anywhere(name: str, text: str) -> None:
    assert found(f"It works well with {text}, I think.", spec(name)) == [text]
    assert found(f"It works well with {text}, I think.", spec("o3-mini")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("claude-3-5-sonnet-20241022", "Claude Monet painted a sonnet in red."),
        ("gemini-2.0-flash", "Gemini is a sign; the flash of Gemini 8 was brief."),
        ("llama-3.3-70b", "The llamas in Peru and one llama in Spain."),
        ("mistral-small-3", "The mistral blew, small waves rose."),
        ("phi-4", "Let phi be 4 times x."),
        ("command-r-plus", "Press Command R, then Command+S."),
        ("nova-pro", "Bossa nova for a pro."),
        ("palm-2", "Palm oil."),
        ("o3-mini", "O3 is ozone, a mini molecule."),
        ("o1", "The O1 visa."),
        ("k2", "K2 is a mountain."),
        ("step-2-16k", "Step 2: stir."),
        ("gpt-4o", "A GPT partition; GPT-4 came in 2023."),
        ("model-a", "Model A sold well."),
        ("terse", "A terse answer."),
        ("parrot", "A parrot talks."),
        ("legal-7b", "A legal matter."),
        ("meta-llama-3-8b-instruct", "A meta-analysis by Meta."),
        ("yi-34b-chat", "The Yi people chat."),
        ("doubao-pro", "早餐吃豆包。"),
        ("exaone-3.5", "Tell it to the one ex."),
        ("claude-3-opus", "An opus by Claude Debussy."),
        ("qwen2.5-7b", "Qwenny, qwens and aqwen."),
        ("gpt-4o", "gpt4all and gpt-4omega"),
    ],
)
def test_everyday_words_count_for_nothing(name: str, text: str) -> None:
    assert found(text, spec(name)) == []


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("**Qwen** it is", "**[model name]** it is"),
        ("Q**wen** it is", "[model name]** it is"),
        ("`qwen` it is", "`[model name]` it is"),
        ("__Qwen__ it is", "__[model name]__ it is"),
        ("Qw\u00aden it is", "[model name] it is"),
        ("Q\u200bw\u2060en it is", "[model name] it is"),
        ("\u200bQwen it is", "\u200b[model name] it is"),
        ("Ｑｗｅｎ it is", "[model name] it is"),
        ("𝐐𝐰𝐞𝐧 it is", "[model name] it is"),
        ("QWEN it is", "[model name] it is"),
        ("Qwén it is", "[model name] it is"),
        ("Qwe\u0301n it is", "[model name] it is"),
        ("Qwen’s it is", "[model name]’s it is"),
        ("Qwen\u20112.5 it is", "[model name] it is"),
        ("(Qwen)", "([model name])"),
        ("我用Qwen模型", "我用[model name]模型"),
        ("Qwen입니다", "[model name]입니다"),
        ("千问很好", "[model name]很好"),
        ("千\u200b问很好", "[model name]很好"),
    ],
)
def test_no_disguise_hides_a_name(text: str, hidden: str) -> None:
    assert masked(text, names=Names.of([spec("qwen2.5-7b")])) == hidden


def test_display_names_aliases_and_upstream_ids_count_too() -> None:
    contestant = spec(
        "contestant-7",
        display_name="Weißbier 3, told to be brief",
        aliases=("Hopfengeist", "麦芽"),
        upstream_id="acme/Malzbier-12B-Instruct",
    )

    assert found("Weissbier? Weißbier 3!", contestant) == ["Weißbier 3"]
    assert found("Ask Hopfengeist, 请问麦芽, or Malzbier-12B-Instruct.", contestant) == [
        "Hopfengeist",
        "麦芽",
        "Malzbier-12B-Instruct",
    ]


@pytest.mark.parametrize(
    ("display_name", "text"),
    [
        ("大模型 A", "这是一个大模型。"),
        ("Модель 2", "Модель работает."),
        ("助手", "助手很好。"),
        ("混元-large", "混元是道家用语。"),
    ],
)
def test_a_display_name_that_says_nothing_counts_for_nothing(display_name: str, text: str) -> None:
    assert found(text, spec("x-1", display_name=display_name)) == []


def test_a_maker_that_only_the_administrator_knows_counts_in_an_introduction() -> None:
    contestant = spec("contestant-7", organisation="Brauhaus Süd")

    assert found("I was trained by Brauhaus Sued. No: by Brauhaus Süd.", contestant) == []
    assert found("I was trained by Brauhaus Süd.", contestant) == ["Brauhaus Süd"]
    assert found("Brauhaus Süd serves lunch.", contestant) == []


def test_a_very_long_name_is_found_by_its_first_words() -> None:
    contestant = spec("x", display_name="Grand Imperial Extra Special Reserve Model " + "Long " * 12 + "Name")

    spans = found("The Grand Imperial Extra Special Reserve Model " + "Long " * 12 + "Name", contestant)

    assert len(spans) == 1
    assert spans[0].startswith("Grand Imperial Extra Special Reserve Model")


def test_both_models_of_the_pair_count() -> None:
    assert found("Qwen or SmolLM2?", spec("qwen2.5-7b"), spec("smollm2-135m-instruct")) == ["Qwen", "SmolLM2"]


@pytest.mark.parametrize("names", [("zorblax", "zorblax-7b"), ("zorblax-7b", "zorblax")])
def test_what_one_model_is_called_is_not_weakened_by_the_other(names: tuple[str, str]) -> None:
    assert found("Ask zorblax.", *map(spec, names)) == ["zorblax"]
    assert found("Ask zorblax.", spec("zorblax-7b")) == []


def test_without_a_pair_only_introductions_count() -> None:
    assert found("I am Qwen. Qwen is a model.") == ["Qwen"]
