from typing import Any

import pytest

from arena.errors import NotAllowed
from arena.roles import Action, LoginFor, Membership, Person, Role, anonymous_role, may, require

ANN = {"email": "Ann@example.com", "email_verified": True}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.OUTSIDER, set()),
        (Role.VIEWER, {Action.READ}),
        (Role.VOTER, {Action.READ, Action.ASK, Action.VOTE}),
        (Role.ADMINISTRATOR, set(Action)),
    ],
)
def test_each_role_may_do_what_the_ones_before_may(role: Role, allowed: set[Action]) -> None:
    assert {action for action in Action if may(role, action)} == allowed


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_known", [False, True])
def test_what_a_role_may_not_is_refused_with_a_sentence(role: Role, action: Action, is_known: bool) -> None:
    person = Person(id="x", role=role, is_known=is_known)
    if may(role, action):
        require(person, action)
        return

    with pytest.raises(NotAllowed, match=r"\w+ .*: \w+"):
        require(person, action)


def test_whoever_was_signed_in_until_just_now_is_told_why_not_any_more() -> None:
    with pytest.raises(NotAllowed, match=r"^It ended\.$"):
        require(Person(id="x", role=Role.VOTER, why="It ended."), Action.ADMINISTER)


@pytest.mark.parametrize(
    ("needed", "role"),
    [(LoginFor.NOTHING, Role.VOTER), (LoginFor.VOTING, Role.VIEWER), (LoginFor.READING, Role.OUTSIDER)],
)
def test_without_a_login_the_settings_say_what_one_is(needed: LoginFor, role: Role) -> None:
    assert anonymous_role(needed) is role


@pytest.mark.parametrize(
    ("lists", "claims", "role"),
    [
        ({}, {}, Role.VOTER),
        ({"administrators": ["ann@example.com"]}, ANN, Role.ADMINISTRATOR),
        ({"administrators": ["ann@example.com"]}, {"email": "ann@example.com"}, Role.VOTER),
        ({"administrators": ["ann@example.com"]}, ANN | {"email_verified": False}, Role.VOTER),
        ({"administrators": ["ann@example.com"]}, ANN | {"email_verified": "true"}, Role.VOTER),
        (
            {"administrators": ["ann@example.com"], "trust_unverified_email": True},
            {"email": "ann@example.com"},
            Role.ADMINISTRATOR,
        ),
        ({"administrators": ["group:Staff"]}, {"groups": ["staff"]}, Role.ADMINISTRATOR),
        ({"administrators": ["group:staff"]}, {"groups": "staff"}, Role.ADMINISTRATOR),
        ({"administrators": ["staff"]}, {"groups": ["staff"]}, Role.VOTER),
        ({"administrators": ["group:a@b"]}, {"email": "group:a@b"}, Role.VOTER),
        ({"administrators": ["group:staff"], "group_claim": "roles"}, {"groups": ["staff"]}, Role.VOTER),
        ({"administrators": ["group:staff"], "group_claim": "roles"}, {"roles": ["staff"]}, Role.ADMINISTRATOR),
        ({"administrators": ["group:staff"]}, {"groups": [7, None, {}]}, Role.VOTER),
        ({"administrators": ["group:staff"]}, {"groups": {"staff": 1}}, Role.VOTER),
        ({"voters": ["ann@example.com"]}, ANN, Role.VOTER),
        ({"voters": ["bob@example.com"]}, ANN, Role.VIEWER),
        ({"viewers": ["ann@example.com"]}, ANN, Role.VIEWER),
        ({"viewers": ["bob@example.com"]}, ANN, Role.VOTER),
        ({"voters": ["bob@example.com"], "viewers": ["ann@example.com"]}, ANN, Role.VIEWER),
        ({"voters": ["bob@example.com"], "viewers": ["bob@example.com"]}, ANN, Role.OUTSIDER),
        ({"administrators": ["ann@example.com"], "viewers": ["ann@example.com"]}, ANN, Role.ADMINISTRATOR),
    ],
)
def test_a_login_gives_the_highest_role_that_its_claims_prove(
    lists: dict[str, Any], claims: dict[str, Any], role: Role
) -> None:
    listed: Any = {key: tuple(value) if isinstance(value, list) else value for key, value in lists.items()}

    assert Membership(**listed).role_of(claims) is role
