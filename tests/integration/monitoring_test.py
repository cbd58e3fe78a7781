#!/usr/bin/env python3
"""Rules, dashboards and runbooks name what there is: metrics and labels of the real program,
commands of its command line, files.

usage: monitoring_test.py ORDERPROC_BINARY
"""

import http.client
import json
import os
import re
import ssl
import unittest

import monitoring_support as monitoring
import tls_support
from binary_support import ORDER, WithStorage, main, run, wait_until
from monitoring_support import DOCS, FOLDER, read

# What Prometheus adds, and its own series.
ADDED_LABELS = {"job", "instance", "installation"}
OWN_SERIES = {"up"}
OTHERS = "rabbitmq_"  # asked of a real RabbitMQ in monitoring_live_test.py
SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? \S+$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Labels of which all values are there from the start, so that a misspelt one is found.
CLOSED_LABELS = {"outcome", "result", "state", "connection", "status", "event", "file", "reason"}
SECTIONS = ["What it means", "How to see it", "What to do", "When it ends"]
VARIABLES = ["datasource", "installation", "job", "instance"]


def exported(text, into):
    """Adds {metric: {label: values}}."""
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        if sample:
            labels = into.setdefault(sample[1], {})
            for name, value in LABEL.findall(sample[2] or ""):
                labels.setdefault(name, set()).add(value)


class Metrics(WithStorage):
    def scrape(self, fetch, into, wanted=(), connections=()):
        """Until all that comes with the first report is there."""
        def found():
            status, _, text = fetch("GET", "/metrics", headers={"Accept": "text/plain"})
            self.assertEqual(status, 200)
            exported(text, into)
            there = into.get("orderproc_broker_connected", {}).get("connection", set())
            return all(it in into for it in wanted) and there.issuperset(connections)
        wait_until(found, f"{wanted} are there")

    def all_metrics(self):
        """Of a server that has all that a server may have, and of one over TLS."""
        server = self.serve("--broker", "memory:", "--processor", "simulate:0",
                            "--insecure-secrets")
        server.ask("POST", "/orders", ORDER)
        server.wait_for(ORDER["order_id"], "COMPLETED")
        found = {}
        self.scrape(server.fetch, found,
                    ["orderproc_feed_lag_seconds", "orderproc_wake_ups_total"],
                    ["relay", "wake_ups"])
        if tls_support.OPENSSL and "--tls-certificate" in run("serve", "--help").stdout:
            self.scrape(self.fetch_over_tls, found)
        else:
            found.update(self.TLS)
        return found

    def fetch_over_tls(self, method, target, headers):
        authority = tls_support.Authority(self.folder.name)
        certificate, key = authority.issue("server")
        server = self.serve("--no-worker", "--tls-certificate", certificate, "--tls-key", key)
        context = ssl.create_default_context(cafile=authority.certificate)
        connection = http.client.HTTPSConnection("localhost", server.port, context=context,
                                                 timeout=60)
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    TLS = {"orderproc_tls_handshakes_total": {"result": {"done", "failed"}},
           "orderproc_tls_certificate_expiry_timestamp_seconds": {}}
    # They come with the first entry that cannot be published, and with the first error.
    RARE = {"orderproc_feed_given_up_total": {"cursor": set(), "action": set()},
            "orderproc_errors_total": {"where": set()}}

    def test_every_metric_that_is_named_is_exported(self):
        found = {**self.RARE, **self.all_metrics()}
        wrong = [(where, *it) for where, expression in monitoring.all_expressions()
                 for it in self.unknown_in(expression, found, monitoring.recorded())]
        self.assertEqual(wrong, [])

    def unknown_in(self, expression, found, recorded):
        """What the expression names and nobody exports."""
        out = []
        for metric, matchers in monitoring.selectors_of(expression):
            if metric in OWN_SERIES or metric.startswith(OTHERS):
                continue
            if metric not in (recorded if ":" in metric else found):
                out.append((metric,))
                continue
            labels = found.get(metric, {})
            for label, operator, value in matchers:
                if label not in labels and label not in ADDED_LABELS:
                    out.append((metric, label))
                elif label in CLOSED_LABELS and operator in ("=", "=~"):
                    out += [(metric, label, it) for it in value.split("|")
                            if it not in labels[label]]
        return out

    def test_a_name_that_is_misspelt_is_found(self):
        found = {"a_total": {"outcome": {"good"}}}
        self.assertEqual(self.unknown_in('a_total{outcome="good"} + a:b', found, {"a:b"}), [])
        for expression, wrong in (("sum by (x) (rate(b_total[5m]))", ("b_total",)),
                                  ('a_total{output="good"} > 1', ("a_total", "output")),
                                  ('1 - a_total{outcome=~"good|bad"}', ("a_total", "outcome", "bad")),
                                  ("a:b", ("a:b",))):
            self.assertEqual(self.unknown_in(expression, found, set()), [wrong])

    def test_recorded_names_are_used(self):
        used = {metric for _, it in monitoring.all_expressions()
                for metric, _ in monitoring.selectors_of(it)}
        self.assertLessEqual(monitoring.recorded(), used)


class Rules(unittest.TestCase):
    def test_alerts_say_what_they_mean_and_name_their_runbook(self):
        for alert in monitoring.alerts():
            with self.subTest(alert["alert"]):
                self.assertRegex(alert["alert"], r"^Orderproc[A-Z][A-Za-z]+$")
                self.assertIn(alert["labels"]["severity"], ("page", "ticket"))
                notes = alert["annotations"]
                self.assertEqual(set(notes), {"summary", "description", "runbook_url"})
                self.assertTrue(os.path.exists(os.path.join(DOCS, "..", notes["runbook_url"])))
                first = read(DOCS, "..", notes["runbook_url"]).splitlines()[0]
                self.assertEqual(first, f"# {alert['alert']}")

    def test_every_runbook_has_an_alert_and_is_listed(self):
        named = {os.path.basename(it["annotations"]["runbook_url"]) for it in monitoring.alerts()}
        self.assertEqual(set(os.listdir(f"{DOCS}/runbooks")), named)
        listed = set(re.findall(r"\]\(runbooks/([\w-]+\.md)\)", read(DOCS, "monitoring.md")))
        self.assertEqual(listed, named)


class Runbooks(unittest.TestCase):
    def texts(self):
        for name in sorted(os.listdir(f"{DOCS}/runbooks")):
            yield name, read(DOCS, "runbooks", name)

    def test_they_say_what_a_person_needs(self):
        for name, text in self.texts():
            with self.subTest(name):
                self.assertEqual(re.findall(r"^## (.*)$", text, re.MULTILINE), SECTIONS)

    def test_their_commands_and_options_exist(self):
        manual = read(DOCS, "cli.md")
        sections = {it[0]: it[1] for it in
                    re.findall(r"^#{2,3} `(orderproc [a-z -]+)`\n(.*?)(?=^#{2,3} |\Z)", manual,
                               re.MULTILINE | re.DOTALL)}
        self.assertIn("orderproc dead list", sections)
        for name, text in self.texts():
            for line in re.findall(r"^\$ (orderproc .*)$", text, re.MULTILINE):
                with self.subTest(name, line=line):
                    self.judge(line, sections)

    def judge(self, line, sections):
        words = re.findall(r"^orderproc((?: [a-z-]+)*)", line)[0].split()
        while words and " ".join(["orderproc", *words]) not in sections:
            words.pop()
        self.assertTrue(words, "no such command")
        documented = "".join(sections.get(" ".join(["orderproc", *words[:it]]), "")
                             for it in range(1, len(words) + 1))
        for option in re.findall(r"(?<= )--[a-z-]+", line):
            self.assertIn(f"`{option}`", documented)

    def test_the_dashboards_and_panels_that_they_name_exist(self):
        boards = monitoring.dashboards().values()
        titles = {it["title"] for it in boards}
        titles |= {panel["title"] for it in boards for panel in monitoring.panels_of(it)}
        for name, text in self.texts():
            named = {" ".join(it.split()) for it in re.findall(r"(?<![*\w])\*([^*]+)\*", text)}
            with self.subTest(name):
                self.assertEqual(named - titles - {"Dead letters"}, set())

    def test_links_lead_somewhere(self):
        for name, text in self.texts():
            for target in re.findall(r"\]\(([^)#]+)", text):
                with self.subTest(name, target=target):
                    self.assertTrue(os.path.exists(os.path.join(DOCS, "runbooks", target)))


class Dashboards(unittest.TestCase):
    def test_there_are_some_and_each_is_one_of_its_own(self):
        all_of = monitoring.dashboards()
        self.assertGreaterEqual(len(all_of), 5)
        for key in ("uid", "title"):
            self.assertEqual(len({it[key] for it in all_of.values()}), len(all_of))

    def test_they_can_be_imported_anywhere(self):
        for name, it in monitoring.dashboards().items():
            with self.subTest(name):
                self.assertEqual([one["name"] for one in it["templating"]["list"]], VARIABLES)
                self.assertNotIn("id", it)
                self.assertNotRegex(json.dumps(it), r"https?://|__inputs")
                sources = [one["datasource"] for one in monitoring.panels_of(it)]
                sources += [query["datasource"] for one in monitoring.panels_of(it)
                            for query in one["targets"]]
                sources += [one["datasource"] for one in it["templating"]["list"][1:]]
                for source in sources:
                    self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"})

    def test_panels_say_what_they_show(self):
        for name, it in monitoring.dashboards().items():
            ids = [panel["id"] for panel in it["panels"]]
            self.assertEqual(len(set(ids)), len(ids))
            for panel in monitoring.panels_of(it):
                with self.subTest(name, title=panel["title"]):
                    self.assertTrue(panel["title"])
                    self.assertTrue(panel["description"].endswith("."))
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                    references = [query["refId"] for query in panel["targets"]]
                    self.assertTrue(references)
                    self.assertEqual(len(set(references)), len(references))

    def test_panels_do_not_overlap(self):
        for name, it in monitoring.dashboards().items():
            taken = set()
            for panel in it["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24, name)
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(taken & cells, f"{name}: {panel['title']}")
                taken |= cells

    def test_every_series_is_chosen_by_the_variables(self):
        for where, expression in monitoring.dashboard_expressions():
            for metric, matchers in monitoring.selectors_of(expression):
                with self.subTest(where, metric=metric):
                    self.assertIn(("installation", "=~", "$installation"), matchers)


class Configuration(unittest.TestCase):
    def test_no_foreign_host_is_named(self):
        for name in ("prometheus.yml", "alertmanager.yml"):
            for host in re.findall(r"(?:https?://|[\"'])([\w.-]+):\d+", read(FOLDER, name)):
                self.assertEqual(host, "127.0.0.1", name)

    def test_jobs_are_those_that_the_rules_look_for(self):
        jobs = [it["job_name"] for it in
                monitoring.yaml.safe_load(read(FOLDER, "prometheus.yml"))["scrape_configs"]]
        self.assertEqual(jobs, ["orderproc", "orderproc-worker", "rabbitmq"])
        for _, expression in monitoring.all_expressions():
            for _, matchers in monitoring.selectors_of(expression):
                for label, operator, value in matchers:
                    if label == "job" and not value.startswith("$"):
                        self.assertEqual((operator, value), ("=~", "orderproc.*"))


if __name__ == "__main__":
    main()
