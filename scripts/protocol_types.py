"""Write web/lib/protocol.d.ts, the pages' types of the wire, from the broker's own messages.

`python scripts/protocol_types.py` writes it; `--check` exits with 1 when the file on disk is not what would be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import TypeAdapter  # noqa: E402

from broker.protocol import client, server  # noqa: E402

TARGET = ROOT / "web" / "lib" / "protocol.d.ts"
HEADER = "// Made by scripts/protocol_types.py from broker/protocol. Do not edit.\n"
Schema = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    text = render()
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is out of date: run python scripts/protocol_types.py", file=sys.stderr)
    return 1


def render() -> str:
    """Return the whole file: every named part once, then the two unions."""
    said = TypeAdapter(client.ClientMessage).json_schema(mode="validation")
    heard = TypeAdapter(server.ServerMessage).json_schema(mode="serialization")
    parts: dict[str, str] = {}
    for schema, required_only in ((said, True), (heard, False)):
        for name, definition in schema["$defs"].items():
            text = declaration(name, definition, required_only)
            if parts.setdefault(name, text) != text:
                raise SystemExit(f"{name} stands in both directions with two shapes")
    unions = [
        f"export type ClientMessage = {type_of({'oneOf': said['oneOf']})};\n",
        f"export type ServerMessage = {type_of({'oneOf': heard['oneOf']})};\n",
    ]
    return HEADER + "\n" + "\n".join([*(parts[name] for name in sorted(parts)), *unions])


def declaration(name: str, schema: Schema, required_only: bool) -> str:
    """Return one exported type; in what the client says, fields with a default may be left out."""
    lead = comment(schema.get("description"), "")
    if schema.get("type") != "object":
        return f"{lead}export type {name} = {type_of(schema)};\n"
    required = set(schema.get("required", ()))
    lines = []
    for field, value in schema.get("properties", {}).items():
        optional = required_only and field not in required and "const" not in value
        lines.append(f"  {field}{'?' if optional else ''}: {type_of(value)};\n")
    return f"{lead}export interface {name} {{\n{''.join(lines)}}}\n"


def type_of(schema: Schema) -> str:
    """Return the TypeScript of one JSON Schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(type_of(option) for option in schema[key])
    return simple(schema)


def simple(schema: Schema) -> str:
    """Return the TypeScript of a schema that has one `type`."""
    match schema.get("type"):
        case "string":
            return "string"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "boolean"
        case "null":
            return "null"
        case "array":
            inner = type_of(schema["items"])
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case "object":
            return f"Record<string, {type_of(schema['additionalProperties'])}>"
        case other:
            raise SystemExit(f"no TypeScript for {other!r}")


def comment(text: str | None, indent: str) -> str:
    """Return a doc comment of the first paragraph."""
    if not text:
        return ""
    first = text.split("\n\n")[0].replace("\n", " ")
    return f"{indent}/** {first} */\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
