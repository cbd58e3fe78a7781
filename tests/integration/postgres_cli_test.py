#!/usr/bin/env python3
"""Servers and workers over PostgreSQL: made by the owner, run with few rights, over its restarts.

usage: postgres_cli_test.py ORDERPROC_BINARY
"""

import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402
from binary_support import BINARY, ORDER, Running, main, run, wait_until  # noqa: E402

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "postgres.md")
NODE = None


def setUpModule():
    global NODE
    if not postgres_node.programs():
        sys.exit(postgres_node.NOT_INSTALLED)
    NODE = postgres_node.Node()


def tearDownModule():
    NODE.close()


def grants():
    """The statements that the manual shows."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(r"^```sql\n(.*?)^```", file.read(), re.M | re.S)[1]


class Commands(unittest.TestCase):
    def setUp(self):
        NODE.sql("DROP SCHEMA IF EXISTS orderproc CASCADE; DROP ROLE IF EXISTS app")
        NODE.sql("CREATE ROLE app LOGIN PASSWORD 's3cr3t'")
        self.owner = ["--storage", NODE.url]
        self.app = ["--storage", NODE.url.replace("user=test", "user=app")]

    def init(self):
        ended = run("migrate", "--init", *self.owner)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("went from schema version 0 to 1", ended.stdout)
        NODE.sql(grants())

    def start(self, *arguments):
        return Running(self, BINARY, *arguments)

    def serve(self, *arguments):
        return self.start("serve", "--listen", "127.0.0.1:0", *self.app, *arguments)

    def test_the_schema_is_made_when_asked(self):
        for command in (["serve", "--listen", "127.0.0.1:0"], ["work"], ["verify"]):
            ended = run(*command, *self.owner)
            self.assertEqual(ended.returncode, 1, ended)
            self.assertIn("orderproc migrate --init makes it", ended.stderr)
        ended = run("migrate", *self.owner)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("--init makes it", ended.stderr)
        ended = run("migrate", "--init", "--dry-run", *self.owner)
        self.assertIn("tried and taken back", ended.stdout)
        self.assertEqual(run("verify", *self.owner).returncode, 1)
        self.init()
        self.assertIn("already", run("migrate", *self.owner).stdout)
        self.assertEqual(run("verify", *self.owner).returncode, 0)
        self.assertEqual(run("rotate-epoch", *self.app).returncode, 0)

    def test_a_missing_right_is_named(self):
        run("migrate", "--init", *self.owner)
        ended = run("verify", *self.app)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("no right to use the schema orderproc", ended.stderr)
        NODE.sql("GRANT USAGE ON SCHEMA orderproc TO app")
        ended = run("verify", *self.app)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("permission denied for table schema_version", ended.stderr)

    def test_a_password_on_the_command_line_is_refused(self):
        url = NODE.url.replace("postgresql://", "postgresql://app:s3cr3t@").replace("&user=test", "")
        for bad in (url, NODE.url + "&password=s3cr3t"):
            ended = run("verify", "--storage", bad)
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn("ORDERPROC_STORAGE", ended.stderr)
            self.assertNotIn("s3cr3t", ended.stderr)
        self.init()
        ended = run("verify", ORDERPROC_STORAGE=url)
        self.assertEqual(ended.returncode, 0, ended)
        path = f"{NODE.folder}/storage-url"
        with open(path, "w", encoding="ascii") as out:
            out.write(url + "\n")
        self.assertEqual(run("verify", "--storage-file", path).returncode, 0)
        ended = run("verify", "--storage-file", path, *self.app)
        self.assertEqual(ended.returncode, 2, ended)
        ended = run("migrate", "--storage-file", path)
        self.assertNotIn("s3cr3t", ended.stdout + ended.stderr)

    def test_two_servers_and_a_worker_share_it(self):
        self.init()
        first = self.serve("--no-worker")
        second = self.serve("--no-worker")
        self.start("work", *self.app, "--processor", "simulate:0")
        status, made = first.ask("POST", "/orders", ORDER)
        self.assertEqual((status, made["status"]), (201, "PENDING"))
        second.wait_for(ORDER["order_id"], "COMPLETED")
        status, _ = second.ask("POST", "/orders", ORDER)
        self.assertEqual(status, 409)
        listed = first.ask("GET", "/orders?status=COMPLETED&total=true")[1]
        self.assertEqual(len(listed["items"]), 1)
        self.assertEqual(first.ask("GET", "/metrics")[1]["total_orders_created"], 1)
        ended = run("verify", *self.app)
        self.assertEqual((ended.returncode, ended.stdout[:2]), (0, "ok"), ended)

    def test_an_idle_process_asks_little(self):
        self.init()
        server = self.serve("--processor", "simulate:0")
        server.ask("POST", "/orders", ORDER)
        server.wait_for(ORDER["order_id"], "COMPLETED")
        for setting in ("log_statement TO 'all'", "log_min_messages TO 'log'"):
            NODE.sql(f"ALTER SYSTEM SET {setting}")
        NODE.sql("SELECT pg_reload_conf()")
        self.addCleanup(NODE.sql, "SELECT pg_reload_conf()")
        self.addCleanup(NODE.sql, "ALTER SYSTEM RESET ALL")

        def asked():
            with open(f"{NODE.folder}/log", encoding="utf-8", errors="replace") as log:
                return sum("execute orderproc_" in line for line in log)
        wait_until(asked, "the server tells what it is asked")
        begin, before = time.monotonic(), asked()
        wait_until(lambda: asked() >= before + 100, "a hundred statements")
        statements, seconds = asked() - before, time.monotonic() - begin
        self.assertLessEqual(statements / seconds, 25)

    def test_a_restart_of_the_database_costs_time_only(self):
        self.init()
        server = self.serve("--processor", "simulate:0")
        self.assertEqual(server.ask("POST", "/orders", ORDER)[0], 201)
        NODE.kill()
        answered = server.fetch("POST", "/orders", '{"order_id": "during"}',
                                {"Content-Type": "application/json"})[0]
        self.assertIn(answered, (400, 422, 503))
        status, _ = server.ask("POST", "/orders", dict(ORDER, order_id="ORD-2"))
        self.assertEqual(status, 503)
        NODE.start()
        wait_until(lambda: server.ask("POST", "/orders", dict(ORDER, order_id="ORD-3"))[0] == 201,
                   "it takes orders again")
        server.wait_for(ORDER["order_id"], "COMPLETED")
        server.wait_for("ORD-3", "COMPLETED")
        self.assertEqual(server.stop()[0], 0)
        self.assertEqual(run("verify", *self.app).returncode, 0)


if __name__ == "__main__":
    main()
