"""The files in `deploy/`, read as their programs read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

Document = Mapping[str, Any]


def text(name: str) -> str:
    """A file of `deploy/`."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def compose() -> Document:
    """What `compose.yaml` says."""
    return yaml.safe_load(text("compose.yaml"))


def kubernetes() -> list[Document]:
    """The objects of `kubernetes.yaml`."""
    return list(yaml.safe_load_all(text("kubernetes.yaml")))


def of_kind(kind: str, name: str = "arena") -> Document:
    """One object of `kubernetes.yaml`."""
    (found,) = (each for each in kubernetes() if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found
