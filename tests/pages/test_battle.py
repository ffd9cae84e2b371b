import re
from collections.abc import Callable
from time import monotonic

import pytest
from streamlit.testing.v1 import AppTest

import shell
from arena.domain import Fault
from words import FAULTS, SAMPLE_PROMPTS

OpenPage = Callable[..., AppTest]
VOTES = ["👈 A is better", "👉 B is better", "🤝 Tie", "👎 Both are bad"]
NAMES = re.compile("walnut|hazel|oakland", re.IGNORECASE)
BROKEN = """
[[models]]
name = "walnut"
provider = "scripted"
script = { text = "half an answer", fault = "overloaded", fault_after_tokens = 1, fault_times = 1 }

[[models]]
name = "hazel"
provider = "scripted"
script = { text = "<think>Hm.</think>A whole answer" }
"""


def ask(tab: AppTest, prompt: str = "Why?") -> AppTest:
    return tab.chat_input(key="prompt").set_value(prompt).run()


def press(tab: AppTest, key: str) -> AppTest:
    return tab.button(key=key).click().run()


def labels(tab: AppTest) -> list[str]:
    return [button.label for button in tab.button]


def shown(tab: AppTest) -> str:
    return "\n".join(element.value for element in [*tab.markdown, *tab.text, *tab.warning, *tab.caption])


def everything_sent(tab: AppTest) -> str:
    """The page as it goes to the browser, prompts and answers included."""
    return "\n".join(repr(element.proto) for element in tab.main) + repr(tab._tree)


def run_until(tab: AppTest, what: Callable[[AppTest], bool]) -> None:
    deadline = monotonic() + 30
    while not what(tab):
        assert monotonic() < deadline, shown(tab)
        tab.run()


def test_a_first_visitor_learns_how_it_works(open_page: OpenPage) -> None:
    tab = open_page()

    assert "How it works" in shown(tab)
    assert not tab.chat_input(key="prompt").disabled
    assert len(labels(tab)) == len(SAMPLE_PROMPTS)


def test_a_sample_prompt_opens_a_battle(open_page: OpenPage) -> None:
    tab = press(open_page(), "sample-0")

    assert next(iter(SAMPLE_PROMPTS.values())) in shown(tab)
    assert set(VOTES) < set(labels(tab))


def test_a_whole_battle_from_prompt_to_names(open_page: OpenPage) -> None:
    tab = ask(open_page(), "Why <b>?")
    assert [label for label in labels(tab) if label in VOTES] == VOTES
    assert r"One **answer** to: Why \<b>?" in shown(tab)

    press(tab, "vote-a")
    assert labels(tab) == ["Undo", "Reveal now"]
    assert "A is better" in shown(tab)
    press(tab, "reveal")

    assert "Elo 1016" in shown(tab)
    assert "Elo 984" in shown(tab)
    assert labels(tab) == ["🎲 New round"]
    assert tab.chat_input(key="prompt").disabled
    assert shell.open_arena().board().votes == 1


def test_nothing_names_a_model_before_the_vote(open_page: OpenPage) -> None:
    tab = open_page()
    fresh = everything_sent(tab)
    ready = everything_sent(ask(tab))
    held = everything_sent(press(tab, "vote-tie"))

    assert "answer to: Why?" in ready
    assert not NAMES.search(fresh + ready + held)


def test_a_held_vote_can_be_undone(open_page: OpenPage) -> None:
    tab = press(ask(open_page()), "vote-b")
    press(tab, "undo")

    assert set(VOTES) < set(labels(tab))
    assert shell.open_arena().board().votes == 0


def test_a_held_vote_becomes_final_by_itself(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_HOLD_SECONDS", "0.1")
    tab = press(ask(open_page()), "vote-b")
    run_until(tab, lambda page: "🎲 New round" in labels(page))

    assert "Elo 1016" in shown(tab)


def test_a_conversation_goes_on_before_the_vote(open_page: OpenPage) -> None:
    tab = ask(ask(open_page(), "First"), "Second")

    assert [text.value for text in tab.text] == ["First", "Second"] * 2
    assert set(VOTES) < set(labels(tab))


def test_a_failed_side_is_explained_and_asked_again(open_page: OpenPage, configure: Callable[[str], None]) -> None:
    configure(BROKEN)
    tab = ask(open_page())
    assert [warning.value for warning in tab.warning] == [FAULTS[Fault.OVERLOADED]]
    assert not set(VOTES) & set(labels(tab))
    retry = next(button for button in tab.button if button.label == "🔄 Retry this side")
    retry.click().run()

    assert not tab.warning
    assert set(VOTES) < set(labels(tab))


def test_what_a_model_thought_stands_apart(open_page: OpenPage, configure: Callable[[str], None]) -> None:
    configure(BROKEN)
    tab = ask(open_page())

    assert [expander.label for expander in tab.expander] == ["💭 Thoughts"]
    assert "A whole answer" in [markdown.value for markdown in tab.markdown]


def test_a_reload_brings_the_battle_back_to_its_owner_only(open_page: OpenPage) -> None:
    tab = ask(open_page())
    battle_id = tab.query_params["battle"]
    tab.run()
    stranger = open_page(battle=battle_id)

    assert "answer to: Why?" in shown(tab)
    assert "There is no such battle here" in shown(stranger)
    assert "answer to: Why?" not in shown(stranger)
    assert not stranger.chat_input(key="prompt").disabled


def test_another_page_and_back_keeps_the_battle(open_page: OpenPage) -> None:
    tab = ask(open_page())
    tab.switch_page("models.py").run()
    tab.query_params.clear()
    tab.switch_page("battle.py").run()

    assert "answer to: Why?" in shown(tab)


@pytest.mark.parametrize("battle_id", ["nonsense", "../../etc/passwd", "x" * 5000, "'; DROP TABLE battle; --"])
def test_an_unknown_battle_is_said_so(open_page: OpenPage, battle_id: str) -> None:
    tab = open_page(battle=battle_id)

    assert [warning.value for warning in tab.warning] == ["There is no such battle here: start a new round."]
    assert "battle" not in tab.query_params


def test_a_new_round_starts_afresh(open_page: OpenPage) -> None:
    tab = press(press(ask(open_page()), "vote-a"), "reveal")
    press(tab, "new-round")

    assert "How it works" in shown(tab)
    assert "battle" not in tab.query_params


def test_a_blank_prompt_is_refused_in_words(open_page: OpenPage) -> None:
    tab = ask(open_page(), "   ")

    assert "prompt is blank" in shown(tab)


def test_one_model_is_not_enough(open_page: OpenPage, configure: Callable[[str], None]) -> None:
    configure('[[models]]\nname = "walnut"\nprovider = "scripted"\n')
    tab = open_page()

    assert "A battle needs two models" in shown(tab)
    assert tab.chat_input(key="prompt").disabled


def test_wrong_settings_are_named_on_the_page(open_page: OpenPage, configure: Callable[[str], None]) -> None:
    configure("no_such_key = 1\n")
    tab = open_page()

    assert "no_such_key" in tab.error[0].value.replace("\\", "")
    assert not tab.exception


def test_every_fault_has_its_sentence() -> None:
    assert set(FAULTS) == set(Fault)


def test_a_battle_whose_texts_were_removed_says_so_and_offers_only_a_new_round(open_page: OpenPage) -> None:
    tab = ask(open_page())
    run_until(tab, lambda tab: VOTES[0] in labels(tab))
    battle_id = str(tab.query_params["battle"])
    shell.open_arena()._store.write.remove_texts([battle_id]).result()

    tab.run()

    assert [info.value for info in tab.info] == ["The prompts and answers of this battle were removed after 0 days."]
    assert "Why?" not in shown(tab)
    assert not set(VOTES) & set(labels(tab))
    assert "🎲 New round" in labels(tab)
    assert tab.chat_input(key="prompt").disabled
