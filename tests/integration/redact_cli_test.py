#!/usr/bin/env python3
"""`orderproc redact` with its log, and `orderproc ready`, against real processes.

usage: redact_cli_test.py ORDERPROC_BINARY [sqlite|postgres]
"""

import json
import os
import signal
import stat

from binary_support import main, run, wait_until
from storage_support import OnStorage, set_up_module as setUpModule  # noqa: F401
from storage_support import tear_down_module as tearDownModule  # noqa: F401


class Redacting(OnStorage):
    def setUp(self):
        super().setUp()
        self.log = f"{self.folder.name}/redactions"

    def logged(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def ids_of_log(self):
        return [it["order_id"] for it in self.logged()]

    def serve_with_orders(self, *arguments):
        server = self.serve("--no-worker", *arguments)
        for order in ("A", "B", "open"):
            self.create(server, order)
        for order in ("A", "B"):
            self.settle(server, order)
        return server

    def test_each_order_is_answered_for_itself(self):
        server = self.serve_with_orders()
        ended = self.ends_with(1, "redact", "--storage", self.storage, "A", "open", "none", "B")
        self.assertEqual(ended.stdout, "redacted: 2 orders; 0 had nothing left to be taken out\n")
        self.assertIn("order open is not settled", ended.stderr)
        self.assertIn("order none: there is no such order", ended.stderr)
        self.assertEqual(server.ask("GET", "/orders/A")[1]["metadata"], {})
        self.assertEqual(server.ask("GET", "/orders/open")[1]["metadata"], {"name": "Ann"})
        self.assertEqual(self.object_of("redact", "A", "none", code=1), {
            "redacted": 0, "unchanged": 1,
            "refused": [{"order_id": "none", "code": "not_found"}]})
        self.assertEqual(self.object_of("redact", "open", code=1)["refused"],
                         [{"order_id": "open", "code": "not_settled"}])
        self.assertEqual(self.object_of("redact", "--user", "7", code=1),
                         {"redacted": 0, "unchanged": 2, "open": 1})
        history = server.ask("GET", "/orders/A/history")[1]["items"]
        self.assertEqual([it["event"] for it in history].count("redact"), 1)

    def test_the_log_names_what_was_redacted_and_nothing_else(self):
        self.serve_with_orders()
        self.command("redact", "--redaction-log", self.log, "A", "open", "none", code=1)
        [line] = self.logged()
        self.assertEqual(line["order_id"], "A")
        self.assertTrue(line["by"].startswith("cli:"), line)
        self.assertEqual(stat.S_IMODE(os.stat(self.log).st_mode), 0o600)
        # What an append that was killed left behind is removed by the next one.
        with open(self.log, "a", encoding="utf-8") as file:
            file.write('{"order_id":"tor')
        self.command("redact", "--redaction-log", self.log, "--user", "7", code=1)
        self.assertEqual(self.ids_of_log(), ["A", "A", "B"])
        # Those that were redacted before without this log are named as well.
        self.command("redact", "--redaction-log", self.log, "B")
        self.assertEqual(self.ids_of_log(), ["A", "A", "B", "B"])
        os.remove(self.log)
        self.command("redact", "--redaction-log", self.log, "--user", "7", code=1)
        self.assertEqual(self.ids_of_log(), ["A", "B"])

    def test_a_file_of_another_kind_is_left_as_it_is(self):
        server = self.serve_with_orders()
        for content in (b"no line", b"a line\nand a part of one", b'{"order": 1}\n{"ord',
                        b"\0" * 99):
            with open(self.log, "wb") as file:
                file.write(content)
            ended = self.ends_with(2, "redact", "--storage", self.storage, "--redaction-log",
                                   self.log, "A")
            self.assertIn("is another kind of file", ended.stderr)
            with open(self.log, "rb") as file:
                self.assertEqual(file.read(), content)
        self.assertEqual(server.ask("GET", "/orders/A")[1]["metadata"], {"name": "Ann"})
        # The part of a first line is what an append that was killed has left.
        with open(self.log, "wb") as file:
            file.write(b'{"order_')
        self.command("redact", "--redaction-log", self.log, "A")
        self.assertEqual(self.ids_of_log(), ["A"])

    def test_an_order_is_not_redacted_if_the_log_cannot_have_it(self):
        server = self.serve_with_orders()
        self.ends_with(2, "redact", "--storage", self.storage, "--redaction-log",
                       f"{self.folder.name}/none/log", "A")
        if os.path.exists("/dev/full"):
            ended = run("redact", "--storage", self.storage, "--redaction-log", "/dev/full", "A")
            self.assertNotEqual(ended.returncode, 0, ended)
        self.assertEqual(server.ask("GET", "/orders/A")[1]["metadata"], {"name": "Ann"})

    def test_a_server_logs_what_others_redact(self):
        server = self.serve_with_orders()
        self.command("redact", "A")  # before there was a log
        server.stop()
        server = self.serve("--no-worker", "--redaction-log", self.log)
        wait_until(lambda: self.ids_of_log() == ["A"], "the redaction of before")
        self.command("redact", "B")
        wait_until(lambda: self.ids_of_log() == ["A", "B"], "the redaction of the command")
        key = self.key("eraser", "erase")
        self.create_settled_with(key, server)
        wait_until(lambda: "C" in self.ids_of_log(), "the redaction over HTTP")
        by = [it["by"] for it in self.logged() if it["order_id"] == "C"]
        self.assertEqual(by, ["key:eraser"])
        self.assertEqual(server.stop(signal.SIGTERM)[0], 0)

    def key(self, name, scopes):
        return self.ends_with(0, "keys", "create", "--storage", self.storage, "--name", name,
                              "--scope", scopes).stdout.strip()

    def create_settled_with(self, key, server):
        """C, which is made, cancelled and redacted over HTTP."""
        writer = self.key("writer", "orders:write,orders:read")
        body = json.dumps({"order_id": "C", "user_id": 7, "item_ids": [1], "total_amount": "1.00"})

        def ask(with_key, target, text=None):
            return server.fetch("POST", target, text, {"Authorization": f"Bearer {with_key}",
                                                       "Content-Type": "application/json"})[0]
        wait_until(lambda: ask(writer, "/orders", body) in (201, 409), "the key counts")
        self.assertEqual(ask(writer, "/orders/C/cancel"), 200)
        wait_until(lambda: ask(key, "/orders/C/redact") == 200, "C is redacted")


class Ready(OnStorage):
    def test_the_exit_code_tells(self):
        server = self.serve("--no-worker")
        ended = self.ends_with(0, "ready", "--url", server.url)
        self.assertEqual(ended.stdout, f"{server.url} is ready\n")
        ended = self.ends_with(0, "ready", "--url", server.url, "--json")
        self.assertEqual(json.loads(ended.stdout)["status"], "ready")
        # Another path of the server's is none of a server.
        self.assertIn("status 404", self.ends_with(1, "ready", "--url", server.url + "/x").stderr)
        server.stop()
        self.assertTrue(self.ends_with(1, "ready", "--url", server.url).stderr)
        self.ends_with(2, "ready", "--url", "nothing")
        self.ends_with(2, "ready", "--timeout", "0")

    def test_a_server_that_stops_is_not_ready(self):
        server = self.serve("--no-worker", "--shutdown-delay", "1h")
        server.child.send_signal(signal.SIGTERM)

        def refused():
            ended = run("ready", "--url", server.url)
            return ended if ended.returncode == 1 else None
        ended = wait_until(refused, "it says that it is not ready")
        self.assertIn("is not ready: stopping", ended.stderr)
        ended = run("ready", "--url", server.url, "--json")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("stopping", json.loads(ended.stdout)["codes"])


if __name__ == "__main__":
    main()
