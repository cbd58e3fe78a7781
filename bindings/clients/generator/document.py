"""The OpenAPI document as the clients see it: types, operations, problems."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

# Schemas with a meaning of their own in the clients.
MEANINGS = {
    "Amount": "amount",
    "NewAmount": "amount",
    "Timestamp": "time",
    "Metadata": "object",
    "NewMetadata": "object",
    "Version": "integer",  # 64 bits in the document, but a count of changes: a double holds it
}

# Operations for browsers and readers, and those whose answer is no JSON.
LEFT_OUT_TAGS = {"Preflights"}


@dataclasses.dataclass(frozen=True)
class Type:
    """kind: string, integer, int64, number, boolean, amount, time, object (any JSON object),
    literal, alias (a named list of literals), array, model (a named object), union."""

    kind: str
    nullable: bool = False
    name: str = ""
    of: tuple[Type, ...] = ()
    literals: tuple[str | bool, ...] = ()

    def or_null(self) -> Type:
        return dataclasses.replace(self, nullable=True)


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    type: Type
    required: bool
    description: str


@dataclasses.dataclass
class Model:
    name: str
    description: str
    fields: list[Field]


@dataclasses.dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    type: Type
    required: bool
    description: str


@dataclasses.dataclass(frozen=True)
class Pages:
    """How a list goes on: the parameter, and the field of a page that it takes."""

    parameter: str
    following: str  # a field of the page; "" stands for the version of the last item
    item: Type


@dataclasses.dataclass
class Operation:
    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Parameter]
    body: Type | None
    body_required: bool
    content_type: str
    results: dict[int, Type | None]
    streams: bool
    pages: Pages | None = None

    def has_header(self, name: str) -> bool:
        return any(it.place == "header" and it.name == name for it in self.parameters)


@dataclasses.dataclass(frozen=True)
class Problem:
    code: str
    status: int
    title: str
    advice: str


def camel(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))


class Document:
    def __init__(self, root: dict[str, Any]) -> None:
        self.components = root["components"]
        self.models: dict[str, Model] = {}
        self.aliases: dict[str, Type] = {}
        self.inputs: set[str] = set()
        self.outputs: set[str] = set()
        self.operations = [
            operation
            for path, item in root["paths"].items()
            for method, described in item.items()
            if method != "parameters"
            and (operation := self._operation(method, path, item, described)) is not None
        ]
        self.problems = self._problems()
        # A webhook and an event of the feed have the same body, and errors have theirs.
        self._mark(self._named("Problem"), self.outputs)
        self._mark(self._named("Event"), self.outputs)
        both = self.inputs & self.outputs
        if both:
            raise ValueError(f"both sent and received: {sorted(both)}")

    def _find(self, it: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in it:
            return it
        _, _, kind, name = it["$ref"].split("/")
        found: dict[str, Any] = self.components[kind][name]
        return found

    def _named(self, name: str) -> Type:
        if name in MEANINGS:
            return Type(MEANINGS[name])
        schema = self.components["schemas"][name]
        if "properties" in schema:
            self._add_model(name, schema)
            return Type("model", name=name)
        resolved = self.type_of(schema, name)
        if resolved.kind == "literal" and len(resolved.literals) > 1:
            self.aliases[name] = resolved
            return Type("alias", name=name, nullable=resolved.nullable)
        return resolved

    def _add_model(self, name: str, schema: dict[str, Any]) -> None:
        if name in self.models:
            return
        model = Model(name, schema.get("description", ""), [])
        self.models[name] = model
        required = schema.get("required", [])
        for key, value in schema["properties"].items():
            described = value.get("description") or self._find(value).get("description", "")
            model.fields.append(
                Field(key, self.type_of(value, name + camel(key)), key in required, described))

    def type_of(self, schema: dict[str, Any], name: str) -> Type:
        """The type of a schema. An object without a name of its own gets this one."""
        if "$ref" in schema:
            return self._named(schema["$ref"].rsplit("/", 1)[1])
        for key in ("allOf", "oneOf", "anyOf"):
            if key in schema:
                return self._choice(schema[key], name)
        kinds = schema.get("type", "object")
        nullable = isinstance(kinds, list) and "null" in kinds
        if isinstance(kinds, list):
            kinds = [it for it in kinds if it != "null"]
            if len(kinds) > 1:
                return Type("union", nullable,
                            of=tuple(self.type_of({"type": it}, name) for it in kinds))
            kinds = kinds[0]
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            return Type("literal", nullable or None in values,
                        literals=tuple(it for it in values if it is not None))
        return dataclasses.replace(self._plain(kinds, schema, name), nullable=nullable)

    def _plain(self, kind: str, schema: dict[str, Any], name: str) -> Type:
        if kind == "array":
            return Type("array", of=(self.type_of(schema["items"], name.removesuffix("s")),))
        if kind == "object":
            if "properties" not in schema:
                return Type("object")
            self._add_model(name, schema)
            return Type("model", name=name)
        if kind == "integer":
            return Type("int64" if schema.get("format") == "int64" else "integer")
        if kind == "string" and schema.get("format") == "date-time":
            return Type("time")
        return Type(kind)

    def _choice(self, schemas: list[dict[str, Any]], name: str) -> Type:
        # An empty array stands for {}, as PHP writes it; a client need not send that.
        some = [it for it in schemas
                if it != {"type": "null"} and not (it.get("type") == "array" and "items" not in it)]
        nullable = {"type": "null"} in schemas
        types = [self.type_of(it, name) for it in some]
        nullable = nullable or any(it.nullable for it in types)
        if len(types) == 1:
            return dataclasses.replace(types[0], nullable=nullable)
        return Type("union", nullable, of=tuple(types))

    def _mark(self, it: Type | None, into: set[str]) -> None:
        if it is None:
            return
        for one in it.of:
            self._mark(one, into)
        if it.kind == "model" and it.name not in into:
            into.add(it.name)
            for field in self.models[it.name].fields:
                self._mark(field.type, into)

    def _operation(self, method: str, path: str, item: dict[str, Any],
                   described: dict[str, Any]) -> Operation | None:
        if LEFT_OUT_TAGS & set(described["tags"]):
            return None
        results: dict[int, Type | None] = {}
        streams = False
        for status, response in described["responses"].items():
            content = self._find(response).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                results[int(status)] = (self.type_of(schema, "") if "properties" not in schema
                                        else Type("object"))
            elif "text/event-stream" in content:
                streams = True
            elif status == "204":
                results[204] = None
        if not results and not streams:
            return None  # a page for readers
        body = None
        content_type = ""
        request = described.get("requestBody")
        if request is not None:
            content_type, content = next(iter(request["content"].items()))
            body = self.type_of(content["schema"], "")
            self._mark(body, self.inputs)
        for one in results.values():
            self._mark(one, self.outputs)
        operation = Operation(
            described["operationId"], method.upper(), path, described["summary"],
            described.get("description", ""),
            [self._parameter(it) for it in
             item.get("parameters", []) + described.get("parameters", [])],
            body, bool(request and request.get("required")), content_type, results, streams)
        operation.pages = self._pages(operation)
        return operation

    def _parameter(self, reference: dict[str, Any]) -> Parameter:
        it = self._find(reference)
        return Parameter(it["name"], it["in"], self.type_of(it["schema"], ""),
                         it.get("required", False), it.get("description", ""))

    def _pages(self, operation: Operation) -> Pages | None:
        result = operation.results.get(200)
        if operation.method != "GET" or result is None or result.kind != "model":
            return None
        fields = {it.name: it for it in self.models[result.name].fields}
        if "items" not in fields or "more" in fields:
            return None  # the journal in pages can also begin anew: that is the caller's to handle
        item = fields["items"].type.of[0]
        names = {it.name for it in operation.parameters if it.place == "query"}
        if "cursor" in names and "next_cursor" in fields:
            return Pages("cursor", "next_cursor", item)
        if "after" in names and "next" in fields:
            return Pages("after", "next", item)
        if "after" in names and any(it.name == "version" for it in self.models[item.name].fields):
            return Pages("after", "", item)
        return None

    def _problems(self) -> list[Problem]:
        codes = self.components["schemas"]["Problem"]["properties"]["code"]["enum"]
        examples = self.components["examples"]
        return [Problem(code, examples[code]["value"]["status"], examples[code]["summary"],
                        examples[code]["description"]) for code in codes]
