"""Names of others count where somebody introduces himself, and nowhere else."""

import pytest

from arena.domain import ModelSpec
from arena.identity import Names, leaks, masked
from arena.identity.languages import LANGUAGES

# A pair that none of the sentences is about.
OTHERS = Names.of(
    ModelSpec(name=name, provider="openai_chat", display_name=name) for name in ("dbrx-instruct", "olmo-2-13b")
)

# Made by X, and called X, in every language that the guard knows.
INTRODUCTIONS = {
    "en": "I was created by OpenAI. My name is ChatGPT.",
    "de": "Ich wurde von OpenAI entwickelt. Mein Name ist ChatGPT.",
    "fr": "J'ai été créée par OpenAI. Je m'appelle ChatGPT.",
    "es": "Fui creado por OpenAI. Me llamo ChatGPT.",
    "pt": "Fui criada pela OpenAI. Meu nome é ChatGPT.",
    "it": "Sono stato creato da OpenAI. Mi chiamo ChatGPT.",
    "nl": "Ik ben gemaakt door OpenAI. Ik heet ChatGPT.",
    "sv": "Jag är en språkmodell utvecklad av OpenAI. Jag heter ChatGPT.",
    "pl": "Zostałam stworzona przez OpenAI. Nazywam się ChatGPT.",
    "cs": "Byl jsem vytvořen společností OpenAI. Jmenuji se ChatGPT.",
    "ro": "Am fost creat de OpenAI. Mă numesc ChatGPT.",
    "ru": "Я создан компанией OpenAI. Меня зовут ChatGPT.",
    "uk": "Мене створила компанія OpenAI. Мене звати ChatGPT.",
    "tr": "Ben OpenAI tarafından geliştirildim. Benim adım ChatGPT.",
    "vi": "Tôi được phát triển bởi OpenAI. Tên tôi là ChatGPT.",
    "id": "Saya dibuat oleh OpenAI. Nama saya ChatGPT.",
    "ar": "تم تطويري بواسطة OpenAI. اسمي ChatGPT.",
    "fa": "من توسط OpenAI ساخته شده‌ام. من ChatGPT هستم.",
    "hi": "मुझे OpenAI ने बनाया है। मेरा नाम ChatGPT है।",
    "ko": "저는 OpenAI에서 만들었습니다. 제 이름은 ChatGPT입니다.",
    "zh": "我是由OpenAI开发的。我叫ChatGPT。",
    "ja": "私はOpenAIによって開発されました。ChatGPTと申します。",
}


def test_every_language_has_its_example() -> None:
    assert set(INTRODUCTIONS) == {language.code for language in LANGUAGES}


@pytest.mark.parametrize("language", INTRODUCTIONS)
def test_an_introduction_is_understood_in_every_language(language: str) -> None:
    spans = leaks(INTRODUCTIONS[language], names=OTHERS)

    assert [span.matched for span in spans] == ["OpenAI", "ChatGPT"]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm {}.",
        "i'm {}, nice to meet you",
        "I am the language model {}.",
        "As {}, I can't browse.",
        "I, {}, say so.",
        "{} here!",
        "This is me: call me {}.",
        "You're talking to {}.",
        "Sure! My name is **{}**.",
        "I'm an AI that writes poems and draws, based on {}.",
        "I'm a {} model.",
        "I'm Google's {}.",
        "{} is my name.",
        "I'm _{}_ 2.5, at your service.",
    ],
)
@pytest.mark.parametrize("name", ["Claude", "Gemini", "Mistral", "ChatGPT"])
def test_a_model_introduces_itself(answer: str, name: str) -> None:
    assert leaks(answer.format(name), names=OTHERS)


@pytest.mark.parametrize(
    "answer",
    [
        "I was made by {}.",
        "I am an assistant trained by the team at {}.",
        "I'm an AI, and I was built by researchers at {}.",
        "I'm {}'s assistant.",
        "I'm an AI that helps people to write. Developed by {}.",
        "{} created me.",
        "{}, who trained me, is careful.",
        "My creator is {}.",
        "As an AI model developed by {}, I have no body.",
        "As {}'s assistant, I have no body.",
        "I'm sorry, but that goes against {}'s usage policy.",
        "I come from {}.",
    ],
)
def test_a_model_names_its_maker(answer: str) -> None:
    assert [span.matched for span in leaks(answer.format("Google"), names=OTHERS)] == ["Google"]


@pytest.mark.parametrize(
    "answer",
    [
        "OpenAI released GPT-4 in 2023.",
        "As a language model developed by OpenAI, GPT-4 can write.",
        "As a language model developed by OpenAI, it can write.",
        "If you're talking to ChatGPT, be polite.",
        "I am not ChatGPT.",
        "I am an AI assistant, and ChatGPT is another.",
        "I am a Google engineer.",
        "I am at Google.",
        "I was at Google for years.",
        "I am familiar with Claude and Gemini.",
        "I was trained as a nurse, then Google hired me for sales.",
        "She told me that OpenAI made ChatGPT.",
        "OpenAI, which made ChatGPT, grew.",
        "You are ChatGPT, a large language model trained by OpenAI.",
        "GPT-4 here means the model of 2023.",
        "Google's usage policy forbids it.",
        "I like Google's policy.",
        "I'm a Gemini.",
        "I am a llama, I am granite.",
        "I'm Claude Monet.",
        "I'm Gemma, 29, from Leeds.",
        "I am Hermes, son of Maia.",
        "I am kimi.",
        "Ich bin von Google enttäuscht.",
        "Je suis fan de Google.",
        "Soy ingeniero de Google.",
        "我是谷歌的工程师。",
        "私はGoogleで働いています。",
        "저는 구글을 자주 씁니다.",
        "드라마를 보는 저는 드라마입니다.",
        "Я пользуюсь Google.",
    ],
)
def test_talk_about_others_is_no_introduction(answer: str) -> None:
    assert leaks(answer, names=OTHERS) == ()


@pytest.mark.parametrize(
    ("answer", "hidden"),
    [
        ("I'm GPT-4o mini, hello.", "I'm [model name], hello."),
        ("I'm Claude 3.5 Sonnet.", "I'm [model name]."),
        ("I'm Llama 3.3 70B.", "I'm [model name]."),
        ("I'm Claude's cousin's friend Claude.", "I'm [model name]'s cousin's friend Claude."),
        ("I'm Qwen, made by Alibaba Cloud.", "I'm [model name], made by [model name]."),
        ("I'm OpenAI's ChatGPT.", "I'm [model name]'s [model name]."),
        ("I am ChatGPT.\nOpenAI is a company.", "I am [model name].\nOpenAI is a company."),
    ],
)
def test_a_name_is_hidden_with_its_version(answer: str, hidden: str) -> None:
    assert masked(answer, names=OTHERS) == hidden
