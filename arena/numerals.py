"""Numbers in sentences: a thing or things, and the verb that goes with them."""


def count(number: int, thing: str, things: str | None = None) -> str:
    """A number of things: 1 vote, 1,204 votes; `things` where it is not the thing with an s."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def verb(number: int, one: str, many: str) -> str:
    """The form that goes with so many: 1 vote *counts*, 2 votes *count*."""
    return one if number == 1 else many
