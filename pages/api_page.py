"""The description of the JSON API as one page that needs no script and nothing from elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

EXAMPLES: Final = {
    "/v1/standings": ("", "?order=davidson", "?code=yes&ties=no"),
    "/v1/models": ("",),
}
STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --shade: #8881; --accent: light-dark(#4338ca, #a5b4fc) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.9rem } h2 { margin-top: 3rem; font-size: 1.3rem } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
h2 b { color: #15803d; font-size: .8em; border: 1px solid; border-radius: .3rem; padding: .1rem .4rem }
a { color: var(--accent) } code { font-size: .9em; background: var(--shade); padding: .1em .25em; border-radius: .2em }
table { border-collapse: collapse; width: 100% } .wide { overflow-x: auto }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line) }
"""


def api_page(description: Mapping[str, Any]) -> str:
    """The page of an OpenAPI description: each address with its parameters, its answers and their fields."""
    info, schemas = description["info"], description["components"]["schemas"]
    (server,) = description["servers"]
    parts = [
        f"<h1>{escape(info['title'])}: the JSON API</h1><p>{_words(info['description'])}</p>",
        '<p>For programs: <a href="openapi.json">openapi.json</a>. <a href="/">Back to the arena</a></p>',
        *(_address(path, each["get"], server["url"], schemas) for path, each in description["paths"].items()),
        *(_fields(name, schema) for name, schema in schemas.items() if schema.get("type") == "object"),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}: JSON API</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _address(path: str, operation: Mapping[str, Any], server: str, schemas: Mapping[str, Any]) -> str:
    links = [f"{server}{path}{query}" for query in EXAMPLES.get(path, ())]
    tried = " · ".join(f'<a href="{escape(link)}"><code>{escape(link)}</code></a>' for link in links)
    parameters = [
        (_code(each["name"]), "required" if each.get("required") else "", _type(each["schema"], schemas), _told(each))
        for each in operation.get("parameters", ())
    ]
    replies = [
        (status, _words(reply["description"]), _type(_schema(reply), schemas))
        for status, reply in operation["responses"].items()
    ]
    return (
        f"<h2><b>GET</b> {escape(server + path)}</h2><p>{_words(operation['description'])}</p>"
        + (f"<p>Try: {tried}</p>" if tried else "")
        + (f"<h3>Parameters</h3>{_table(parameters)}" if parameters else "")
        + f"<h3>Answers</h3>{_table(replies)}"
    )


def _fields(name: str, schema: Mapping[str, Any]) -> str:
    rows = [(_code(field), _type(each, {}), _told(each)) for field, each in schema["properties"].items()]
    return f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{_words(schema.get("description", ""))}</p>{_table(rows)}'


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """The cells are HTML already."""
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f'<div class="wide"><table>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def _schema(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((each["schema"] for each in reply.get("content", {}).values()), {})


def _told(each: Mapping[str, Any]) -> str:
    default = each.get("schema", each).get("default", "")
    return _words(each.get("description", "")) + (f" Default: {_code(str(default))}." if default != "" else "")


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    return " or ".join(_types(schema, schemas))


def _types(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        yield f'<a href="#{escape(name)}">{escape(name)}</a>'
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _types(each, schemas)
    elif "enum" in schema:
        yield ", ".join(map(_code, schema["enum"]))
    elif "items" in schema:
        yield f"list of {_type(schema['items'], schemas)}"
    elif isinstance(schema.get("additionalProperties"), dict):
        yield f"text to {_type(schema['additionalProperties'], schemas)}"
    elif "pattern" in schema:
        yield f"text like {_code(schema['examples'][0])}"
    elif "type" in schema:
        yield escape({"string": "text", "boolean": "true or false"}.get(schema["type"], schema["type"]))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _words(text: str) -> str:
    """A sentence, its `code` marked."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
