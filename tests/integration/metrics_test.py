#!/usr/bin/env python3
"""The metrics of the real server: every documented name, in forms that scrapers read.

usage: metrics_test.py ORDERPROC_BINARY
"""

import json
import os
import re

from binary_support import ORDER, WithStorage, main

# As docs/http.md has them: name -> (type, labels).
DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "http.md")
ROW = re.compile(r"^\| `((?:orderproc|http_server|process)_\w+)` \| (\w+) \| (.*?) \|")
SAMPLE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)+)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def documented():
    with open(DOCUMENT, encoding="utf-8") as file:
        rows = [it for it in map(ROW.match, file) if it]
    return {it[1]: (it[2], set(re.findall(r"`(\w+)`", it[3]))) for it in rows}


def parsed(text):
    """{family: (type, help, [(sample, labels, value)])}; every line is one that is known."""
    families, family = {}, None
    for line in text.splitlines():
        if line == "# EOF":
            break
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            family = families.setdefault(name, {"samples": []})
            assert what in ("HELP", "TYPE") and what not in family, line
            assert not family["samples"], f"{line} comes after its samples"
            family[what] = rest
            continue
        sample = SAMPLE.match(line)
        assert sample and family is not None, line
        family["samples"].append((sample[1], dict(LABEL.findall(sample[2] or "")), float(sample[3])))
    return families


class Metrics(WithStorage):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--processor", "simulate:0")
        for _ in range(2):
            self.server.fetch("POST", "/orders", json.dumps(ORDER),
                              {"Content-Type": "application/json", "Idempotency-Key": "K"})
        self.server.wait_for(ORDER["order_id"], "COMPLETED")

    def scrape(self, accept):
        status, fields, text = self.server.fetch("GET", "/metrics", headers={"Accept": accept})
        self.assertEqual(status, 200)
        return fields["Content-Type"], text

    def judge(self, families, counter_suffix):
        wanted = documented()
        self.assertGreaterEqual(len(wanted), 12)
        names = {name.removesuffix("_total") if it[0] == "counter" and not counter_suffix else name
                 for name, it in wanted.items()}
        self.assertEqual(set(families), names)
        for name, (kind, labels) in wanted.items():
            family = families[name if counter_suffix else
                              name.removesuffix("_total") if kind == "counter" else name]
            with self.subTest(name):
                self.assertEqual(family["TYPE"], kind)
                self.assertTrue(family["HELP"])
                self.assertTrue(family["samples"])
                suffixes = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
                for sample, found, _ in family["samples"]:
                    self.assertIn(sample, {name + it for it in suffixes})
                    self.assertEqual(set(found) - {"le"}, labels)
                if kind == "histogram":
                    self.judge_buckets(family["samples"])

    def judge_buckets(self, samples):
        rows = {}
        for sample, labels, value in samples:
            bound = labels.pop("le", None)
            row = rows.setdefault(tuple(sorted(labels.items())), {"buckets": []})
            if bound is None:
                row[sample.rsplit("_", 1)[1]] = value
            else:
                row["buckets"].append((float(bound), value))
        for row in rows.values():
            self.assertEqual(row["buckets"], sorted(row["buckets"]))
            self.assertEqual([it[1] for it in row["buckets"]],
                             sorted(it[1] for it in row["buckets"]))
            self.assertEqual(row["buckets"][-1], (float("inf"), row["count"]))

    def test_every_documented_metric_is_there_and_no_other(self):
        kind, text = self.scrape("text/plain;version=0.0.4")
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        families = parsed(text)
        self.judge(families, counter_suffix=True)
        values = {(name, *sorted(labels.values())): value for family in families.values()
                  for name, labels, value in family["samples"]}
        self.assertEqual(values["orderproc_idempotency_total", "new"], 1)
        self.assertEqual(values["orderproc_idempotency_total", "replayed"], 1)
        self.assertEqual(values["orderproc_attempts_total", "advanced"], 1)
        self.assertEqual(values["orderproc_transitions_total", "complete"], 1)
        self.assertEqual(values["orderproc_orders", "COMPLETED"], 1)
        self.assertEqual(values["orderproc_completion_seconds_count",], 1)
        self.assertEqual(values["orderproc_created_to_done_seconds_count",], 1)
        self.assertEqual(values["orderproc_attempt_seconds_count", "PROCESSING", "advanced"], 1)
        self.assertEqual(values["orderproc_orders_failed_total",], 0)
        self.assertEqual(values["orderproc_requests_shed_total", "overloaded"], 0)
        self.assertEqual(values["orderproc_auth_total", "refused"], 0)
        self.assertGreaterEqual(values["orderproc_http_connections",], 1)
        self.assertEqual(values["orderproc_http_requests_in_flight",], 1)  # this one
        self.assertEqual(values["orderproc_engine_queue_max",], 8192)
        self.assertGreater(values["orderproc_storage_bytes", "data"], 0)

    def test_openmetrics_for_those_who_prefer_it(self):
        kind, text = self.scrape("application/openmetrics-text;version=1.0.0;q=0.5,"
                                 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        self.assertEqual(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(text.endswith("\n# EOF\n"))
        self.judge(parsed(text), counter_suffix=False)

    def test_people_get_json(self):
        self.assertEqual(self.scrape("*/*")[0], "application/json")


if __name__ == "__main__":
    main()
