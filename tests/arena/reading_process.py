"""Tells languages and counts styles, and says after each slice that it is stored, until it is killed."""

import os
import sys

from arena.enrichment import fill_in
from arena.store import Store


def main() -> None:
    fill_in(Store.open(sys.argv[1]), progress=lambda _stage, _fraction: void(os.write(1, b"stored\n")))


def void(_value: object) -> None:
    pass


if __name__ == "__main__":
    main()
