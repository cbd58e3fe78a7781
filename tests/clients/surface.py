"""What programs of others rely on in the HTTP API, one fact a line."""

import collections


class Surface:
    """facts: what may not go away. needs: what callers must send; nothing may be added to it."""

    def __init__(self, document):
        self.components = document["components"]
        self.facts = set()
        self.needs = set()
        self.seen = set()
        self.answers = 0
        self.headers = collections.Counter()
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if method not in ("parameters", "options"):
                    self.add_operation(f"{method.upper()} {path}", item, operation)
        self.add_named("Event", sent=False)
        for name, count in self.headers.items():
            if count == self.answers:  # one line for what all answers have
                self.facts = {it for it in self.facts
                              if not (it.startswith("header ") and it.endswith(f" {name}"))}
                self.facts.add(f"header * {name}")

    def find(self, it):
        if "$ref" not in it:
            return it
        _, _, kind, name = it["$ref"].split("/")
        return self.components[kind][name]

    def add_operation(self, route, item, operation):
        self.facts.add(f"route {route} {operation['operationId']}")
        for it in map(self.find, item.get("parameters", []) + operation.get("parameters", [])):
            name = f"parameter {route} {it['in']} {it['name']}"
            self.facts.add(name)
            if it.get("required") and it["in"] != "path":
                self.needs.add(name)
            self.add_type(name, it["schema"], sent=True)
        body = operation.get("requestBody", {})
        for kind, content in body.get("content", {}).items():
            self.add_type(f"body {route} {kind}", content["schema"], sent=True)
        if body.get("required"):
            self.needs.add(f"body {route}")
        for status, response in operation["responses"].items():
            response = self.find(response)
            if status == "default" or status >= "4":
                continue  # the table of problems has these
            self.answers += 1
            for name in response.get("headers", {}):
                self.headers[name] += 1
                self.facts.add(f"header {route} {status} {name}")
            for kind, content in response.get("content", {}).items():
                self.add_type(f"answer {route} {status} {kind}", content["schema"], sent=False)
        self.add_named("Problem", sent=False)

    def add_named(self, name, sent):
        if (name, sent) in self.seen:
            return
        self.seen.add((name, sent))
        self.add_type(f"type {name}", self.components["schemas"][name], sent)

    def add_type(self, where, schema, sent):
        """A fact for the type, for each of its fields and for each value of a list of values."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            self.facts.add(f"{where}: {name}")
            self.add_named(name, sent)
            return
        for key in ("allOf", "oneOf", "anyOf"):
            for one in schema.get(key, []):
                self.add_type(where, one, sent)
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            self.facts.add(f"{where}: {kind}")
        for value in schema.get("enum", []):
            self.facts.add(f"{where} = {value}")
        if "items" in schema:
            self.add_type(f"{where}[]", schema["items"], sent)
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            self.facts.add(f"{where}.{name}")
            if name in required:
                (self.needs if sent else self.facts).add(f"{where}.{name} always")
            self.add_type(f"{where}.{name}", field, sent)


def compare(recorded, now):
    """What programs that were written against the recorded surface would miss now. What must be
    sent of a route or a type that is new harms nobody."""
    return (sorted(f"gone: {it}" for it in recorded.facts - now.facts) +
            sorted(f"must be sent now: {it}" for it in now.needs - recorded.needs
                   if is_old(it, recorded)))


def is_old(need, recorded):
    """Whether the route or the type of what must be sent was there before."""
    kind, rest = need.split(" ", 1)
    if kind == "type":
        head = rest.split(".", 1)[0]
        return any(it.startswith((f"type {head}.", f"type {head}:")) for it in recorded.facts)
    method, path = rest.split(" ")[:2]
    return any(it.startswith(f"route {method} {path} ") for it in recorded.facts)


class Recorded:
    def __init__(self, text):
        lines = [it for it in text.splitlines() if it and not it.startswith("#")]
        self.facts = {it.removeprefix("has ") for it in lines if it.startswith("has ")}
        self.needs = {it.removeprefix("needs ") for it in lines if it.startswith("needs ")}


def write(surface):
    return ("# The surface of the HTTP API. Nothing may go away from it, and callers may not have\n"
            "# to send more, unless a release says so: generated_test.py compares it.\n" +
            "".join(f"has {it}\n" for it in sorted(surface.facts)) +
            "".join(f"needs {it}\n" for it in sorted(surface.needs)))
