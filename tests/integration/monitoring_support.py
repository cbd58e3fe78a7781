"""What server/monitoring holds: rules, dashboards, and the metrics that their expressions name."""

import glob
import json
import os
import re
import sys

try:
    import yaml
except ImportError:
    sys.exit(77)  # skipped

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.path.join(ROOT, "server", "monitoring")
DOCS = os.path.join(ROOT, "docs")

AGGREGATIONS = {"sum", "min", "max", "avg", "count", "group", "topk", "bottomk", "quantile",
                "stddev", "stdvar", "count_values"}
WORDS = {"and", "or", "unless", "bool", "offset"}
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
TOKEN = re.compile(r"""(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>\d[\w.]*)|(?P<range>\[[^\]]*\])
                       |(?P<name>[A-Za-z_:][\w:]*)|(?P<comment>\#.*)|(?P<space>\s+)|(?P<sign>.)""",
                   re.VERBOSE)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def tokens_of(expression):
    found = ((it.lastgroup, it[0]) for it in TOKEN.finditer(expression))
    return [it for it in found if it[0] not in ("space", "comment", "number", "range")]


def selectors_of(expression):
    """[(metric, [(label, operator, value)])] of a PromQL expression, in their order."""
    tokens, found, at = tokens_of(expression), [], 0

    def until(close, begin):
        end = begin
        while tokens[end][1] != close:
            end += 1
        return end

    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        at += 1
        if kind == "sign" and text == "{":
            end = until("}", at)
            found[-1][1].extend(matchers_of(tokens[at:end]))
            at = end + 1
        elif kind == "name" and text in LISTS:
            if following == "(":
                at = until(")", at) + 1
        elif kind == "name" and text not in WORDS | AGGREGATIONS and following != "(":
            found.append((text, []))
    return found


def matchers_of(tokens):
    text = " ".join(it[1] for it in tokens)
    return [(it[1], it[2].replace(" ", ""), json.loads(it[3])) for it in
            re.finditer(r'(\w+) (= ~|! ~|! =|=) ("(?:[^"\\]|\\.)*")', text)]


def rule_files():
    return sorted(glob.glob(f"{FOLDER}/rules/*.yml"))


def rules():
    return [rule for path in rule_files() for group in yaml.safe_load(read(path))["groups"]
            for rule in group["rules"]]


def alerts():
    return [it for it in rules() if "alert" in it]


def recorded():
    return {it["record"] for it in rules() if "record" in it}


def dashboards():
    """{file name: dashboard}"""
    return {os.path.basename(path): json.loads(read(path))
            for path in sorted(glob.glob(f"{FOLDER}/dashboards/*.json"))}


def panels_of(dashboard):
    return [it for it in dashboard["panels"] if it["type"] != "row"]


def dashboard_expressions():
    """[(where, expression)], also of annotations."""
    out = []
    for name, dashboard in dashboards().items():
        for panel in panels_of(dashboard):
            out += [(f"{name}: {panel['title']}", it["expr"]) for it in panel["targets"]]
        out += [(f"{name}: {it['name']}", it["expr"])
                for it in dashboard["annotations"]["list"] if "expr" in it]
    return out


def filled_in(expression):
    """With what Grafana puts in the place of the variables if everything is chosen."""
    expression = expression.replace("$__rate_interval", "30s")
    for name in ("installation", "job", "instance"):
        expression = expression.replace(f"${name}", ".*")
    return expression


def all_expressions():
    return [(it.get("alert") or it["record"], it["expr"]) for it in rules()] + \
        dashboard_expressions()
