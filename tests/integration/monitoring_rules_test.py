#!/usr/bin/env python3
"""Prometheus' and Alertmanager's own tools on server/monitoring: each alert fires once and is silent
once, and each route leads where it should. Skipped where the tools are not installed.

usage: monitoring_rules_test.py
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import monitoring_support as monitoring
from monitoring_support import FOLDER, yaml

CASES = sorted(glob.glob(os.path.join(os.path.dirname(__file__), "monitoring", "*.yml")))
ALERTMANAGER = f"{FOLDER}/alertmanager.yml"


def call(*command):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return ended.returncode, ended.stdout + ended.stderr


class Rules(unittest.TestCase):
    def succeeds(self, *command):
        code, said = call(*command)
        self.assertEqual(code, 0, said)
        return said

    def test_rules_are_well_formed(self):
        self.succeeds("promtool", "check", "rules", "--lint-fatal", *monitoring.rule_files())

    def test_expressions_of_dashboards_are_well_formed(self):
        """As rules, because promtool checks nothing else."""
        found = [{"record": f"dashboard:{number}", "expr": monitoring.filled_in(expression)}
                 for number, (_, expression) in enumerate(monitoring.dashboard_expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            yaml.safe_dump({"groups": [{"name": "dashboards", "rules": found}]}, file)
            file.flush()
            self.assertIn(f"{len(found)} rules found",
                          self.succeeds("promtool", "check", "rules", file.name))

    def test_the_scrape_configuration_is_well_formed(self):
        self.succeeds("promtool", "check", "config", "--lint-fatal", f"{FOLDER}/prometheus.yml")

    def test_alerts_fire_and_are_silent(self):
        self.assertTrue(CASES)
        self.succeeds("promtool", "test", "rules", *CASES)

    def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(self):
        """Alerts of one name and two severities are told apart."""
        fires, silent = set(), set()
        for path in CASES:
            for test in yaml.safe_load(monitoring.read(path))["tests"]:
                for case in test["alert_rule_test"]:
                    severities = {it["exp_labels"]["severity"] for it in case["exp_alerts"]}
                    fires |= {(case["alertname"], it) for it in severities}
                    silent |= {(case["alertname"], it) for it in {"page", "ticket"} - severities}
        wanted = {(it["alert"], it["labels"]["severity"]) for it in monitoring.alerts()}
        self.assertEqual(fires, wanted)
        self.assertLessEqual(wanted, silent)

    def test_routes(self):
        self.succeeds("amtool", "check-config", ALERTMANAGER)
        for alert in monitoring.alerts():
            severity = alert["labels"]["severity"]
            receiver = {"page": "pages", "ticket": "tickets"}[severity]
            self.succeeds("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}",
                          f"--verify.receivers={receiver}", f"alertname={alert['alert']}",
                          f"severity={severity}", "installation=shop")

    def test_inhibitions_name_alerts_that_exist(self):
        names = {it["alert"] for it in monitoring.alerts()}
        named = set()
        for rule in yaml.safe_load(monitoring.read(ALERTMANAGER))["inhibit_rules"]:
            for matcher in rule["source_matchers"] + rule["target_matchers"]:
                if matcher.startswith("alertname"):
                    named |= set(matcher.split('"')[1].split("|"))
        self.assertTrue(named)
        self.assertLessEqual(named, names)


if __name__ == "__main__":
    if not shutil.which("promtool") or not shutil.which("amtool"):
        sys.exit(77)
    unittest.main()
