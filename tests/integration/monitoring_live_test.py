#!/usr/bin/env python3
"""A real Prometheus scrapes real servers, a worker and RabbitMQ under load and faults: every
expression of every rule and dashboard answers. Takes minutes. Skipped where Prometheus or RabbitMQ
is not installed.

usage: monitoring_live_test.py ORDERPROC_BINARY
"""

import http.client
import http.server
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import monitoring_support as monitoring  # noqa: E402
import rabbitmq_node  # noqa: E402
import tls_support  # noqa: E402
from binary_support import ORDER, WithStorage, main, run, wait_until  # noqa: E402
from rabbitmq_node import free_port  # noqa: E402

PROMETHEUS = shutil.which("prometheus")
# It takes a change that the broker refuses for good: see broker_test.py.
NEVER_HERE = {"orderproc_feed_given_up_total"}
LOADED_S = 40  # of load before and after the faults; rates need some scrapes

CONFIGURATION = """
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}}
rule_files: ["{folder}/rules/*.yml"]
scrape_configs:
  - job_name: orderproc
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: {servers}, labels: {{installation: shop}}}}]
  - job_name: orderproc-tls
    scheme: https
    tls_config: {{ca_file: "{ca}"}}
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: ["localhost:{tls}"], labels: {{installation: shop}}}}]
  - job_name: orderproc-worker
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: ["127.0.0.1:{worker}"], labels: {{installation: shop}}}}]
  - job_name: rabbitmq
    scrape_interval: 5s
    scrape_timeout: 5s
    static_configs: [{{targets: ["127.0.0.1:{rabbitmq}"], labels: {{installation: shop}}}}]
"""


class Prometheus:
    def __init__(self, test, configuration):
        folder = test.folder.name
        path = f"{folder}/prometheus.yml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(configuration)
        self.port = free_port()
        self.log = open(f"{folder}/prometheus.log", "w", encoding="utf-8")
        test.addCleanup(self.log.close)
        self.child = test.popen([PROMETHEUS, f"--config.file={path}", "--log.level=warn",
                                 f"--storage.tsdb.path={folder}/tsdb",
                                 f"--web.listen-address=127.0.0.1:{self.port}"], self.log)

    def ask(self, path, **parameters):
        """The data of an answer; None: it is not there yet, or refuses the query."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
            return answer["data"] if answer["status"] == "success" else None
        except (OSError, ValueError):
            return None
        finally:
            connection.close()

    def now(self, expression):
        found = self.ask("query", query=expression)
        return found and found["result"]

    def ever(self, expression, since):
        """The series that the expression has had since then; None: it is refused."""
        found = self.ask("query_range", query=expression, start=since, end=time.time(), step="1")
        return None if found is None else found["result"]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Of webhooks: takes one and refuses the next."""
    numbers = itertools.count()

    def do_POST(self):  # noqa: N802
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204 if next(self.numbers) % 2 == 0 else 500)
        self.end_headers()

    def log_message(self, *_):
        pass


class Load(threading.Thread):
    """Creates orders, most with a key, some that fail; asks for what is not there, and with a wrong
    credential."""

    def __init__(self, server, key):
        super().__init__(daemon=True)
        self.server, self.key, self.ending = server, key, threading.Event()

    def ask(self, method, target, body=None, **fields):
        fields = {"Authorization": f"Bearer {self.key}", **fields}
        if body is not None:
            fields["Content-Type"] = "application/json"
        return self.server.fetch(method, target, json.dumps(body) if body else None, fields)[0]

    def run(self):
        for number in itertools.count():
            if self.ending.wait(0.02):
                return
            order = {**ORDER, "order_id": f"LOAD-{number}"}
            if number % 10 == 0:
                order["metadata"] = {"simulate": {"outcome": "fail" if number % 20 else "retry"}}
            self.ask("POST", "/orders", order, **{"Idempotency-Key": f"K-{number // 2}"})
            if number % 10 == 5:
                self.ask("GET", "/orders/NOBODY")
                self.ask("GET", "/orders", Authorization="Bearer op_live_nobody")


class Monitoring(WithStorage):
    def setUp(self):
        super().setUp()
        self.key = run("keys", "create", "--storage", self.storage, "--name", "all", "--scope",
                       "orders:read,orders:write,read,webhooks,operate,metrics").stdout.strip()
        self.key_file = f"{self.folder.name}/key"
        with open(self.key_file, "w", encoding="ascii") as file:
            file.write(self.key)

    def popen(self, command, log):
        child = subprocess.Popen(command, stdout=log, stderr=log)

        def end():
            with child:
                child.kill()
        self.addCleanup(end)
        return child

    def start_all(self, broker):
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        port, nobody = receiver.server_address[1], free_port()
        self.server = self.serve("--no-worker", "--broker", broker.url, "--insecure-secrets",
                                 "--webhook-allow", "127.0.0.0/8", "--webhook-allow-http",
                                 "--webhook-ports", f"{port},{nobody}")
        self.narrow = self.serve("--no-worker", "--requests-in-flight", "1")
        authority = tls_support.Authority(self.folder.name)
        certificate, key = authority.issue("server")
        self.secure = self.serve("--no-worker", "--tls-certificate", certificate, "--tls-key", key)
        self.admin = free_port()
        self.broker = broker
        self.worker = self.start_worker()
        self.load = Load(self.server, self.key)
        for at in (port, nobody):
            self.assertEqual(self.load.ask("POST", "/webhooks", {"url": f"http://127.0.0.1:{at}/"}),
                             201)
        servers = [f"127.0.0.1:{it.port}" for it in (self.server, self.narrow)]
        return Prometheus(self, CONFIGURATION.format(
            folder=monitoring.FOLDER, key=self.key_file, servers=json.dumps(servers),
            ca=authority.certificate, tls=self.secure.port, worker=self.admin,
            rabbitmq=broker.metrics_port))

    def start_worker(self):
        return self.work("--processor", "simulate:30ms", "--broker", self.broker.url, "--lease", "2s",
                         "--retry-base", "100ms", "--attempts", "3", "--admin-listen",
                         f"127.0.0.1:{self.admin}")

    def refuse_one(self):
        """A request whose body does not come takes the only place, so that the next gets 503."""
        with socket.create_connection(("127.0.0.1", self.narrow.port), 60) as slow:
            slow.sendall(b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
                         b"Content-Type: application/json\r\nAuthorization: Bearer " +
                         self.key.encode() + b"\r\n\r\n")
            wait_until(lambda: Load(self.narrow, self.key).ask("GET", "/orders") == 503,
                       "a request is refused")

    def test_every_expression_answers(self):
        with rabbitmq_node.Node(metrics=True) as broker:
            self.measure(broker)

    def measure(self, broker):
        since = time.time()
        prometheus = self.start_all(broker)
        self.load.start()
        wait_until(lambda: len(prometheus.now("up == 1") or []) == 5, "all targets are up")
        self.run_for(LOADED_S)
        self.faults(prometheus, broker)
        self.run_for(LOADED_S)
        self.load.ending.set()
        self.load.join()
        wait_until(lambda: len(prometheus.now("up == 1") or []) == 5, "all targets are up again")
        self.judge(prometheus, since)

    def run_for(self, seconds):
        threading.Event().wait(seconds)
        self.assertTrue(self.load.is_alive())

    def faults(self, prometheus, broker):
        """The worker is killed, the broker goes away, and a request is refused."""
        self.worker.child.send_signal(signal.SIGKILL)
        wait_until(lambda: prometheus.now('ALERTS{alertname="OrderprocDown"}'),
                   "the alert of a process that is gone is pending")
        self.worker = self.start_worker()
        wait_until(lambda: prometheus.now("sum(orderproc_lease_expired_total) > 0"),
                   "the orders of the worker that was killed were taken back")
        broker.kill()
        wait_until(lambda: prometheus.now('ALERTS{alertname="OrderprocBrokerAway"}'),
                   "the alert of the broker is pending")
        broker.start()
        wait_until(lambda: not prometheus.now("orderproc_broker_connected == 0") and
                   prometheus.now("orderproc_broker_connected"), "the broker is back", 240)
        self.refuse_one()

    def judge(self, prometheus, since):
        wrong = []
        for where, expression in self.questions():
            never = NEVER_HERE & {metric for metric, _ in monitoring.selectors_of(expression)}
            found = prometheus.ever(expression, since)
            if found is None:
                wrong.append((where, "is refused", expression))
            elif not found and not never:
                wrong.append((where, "has no series", expression))
        self.assertEqual(wrong, [])
        evaluated = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(len(evaluated), len(monitoring.rules()))
        self.assertEqual([it for it in evaluated if it["health"] != "ok"], [])

    def questions(self):
        """What an alert asks for has no answer while all is well, so each of its series is asked."""
        for rule in monitoring.rules():
            if "record" in rule:
                yield rule["record"], rule["expr"]
                continue
            for metric, matchers in monitoring.selectors_of(rule["expr"]):
                text = ",".join(f"{label}{operator}{json.dumps(value)}"
                                for label, operator, value in matchers)
                yield rule["alert"], f"{metric}{{{text}}}"
        for where, expression in monitoring.dashboard_expressions():
            yield where, monitoring.filled_in(expression)


if __name__ == "__main__":
    if not PROMETHEUS or not rabbitmq_node.installed() or not tls_support.OPENSSL:
        sys.exit(77)
    main()
