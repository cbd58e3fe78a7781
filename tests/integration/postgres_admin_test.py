#!/usr/bin/env python3
"""What an operator does with PostgreSQL: move to it, change the model, and hear why it cannot be used.

usage: postgres_admin_test.py ORDERPROC_BINARY
"""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402
from binary_support import BINARY, ORDER, Running, WithStorage, main, run, wait_until  # noqa: E402

NODE = None


def setUpModule():
    global NODE
    if not postgres_node.programs():
        sys.exit(postgres_node.NOT_INSTALLED)
    NODE = postgres_node.Node()


def tearDownModule():
    NODE.close()


class Admin(WithStorage):
    """With an SQLite file, self.storage, and an empty schema."""

    def setUp(self):
        super().setUp()
        NODE.sql("DROP SCHEMA IF EXISTS orderproc CASCADE")
        self.to = ["--storage", NODE.url]
        self.ends_with(0, "migrate", "--init", *self.to)

    def ends_with(self, code, *command, **environment):
        ended = run(*command, **environment)
        self.assertEqual(ended.returncode, code, ended)
        return ended

    def refused(self, sentence, *command, code=1):
        """One line, which says it."""
        said = self.ends_with(code, *command).stderr
        self.assertIn(sentence, said)
        self.assertEqual(said.count("\n"), 1, said)

    def start(self, *arguments):
        return Running(self, BINARY, *arguments)

    def restart_as(self, signal):
        NODE.stop()
        path = f"{NODE.data}/{signal}"
        with open(path, "w", encoding="ascii"):
            pass
        NODE.start()
        return path


class Moving(Admin):
    def test_a_file_is_moved_and_served(self):
        server = self.serve("--processor", "simulate:0")
        headers = {"Content-Type": "application/json", "Idempotency-Key": "one"}
        made = server.fetch("POST", "/orders", json.dumps(ORDER), headers)
        self.assertEqual(made[0], 201, made)
        server.wait_for(ORDER["order_id"], "COMPLETED")
        before = server.ask("GET", "/journal?limit=100")
        self.refused("stop them first", "copy", "--from", self.storage, "--to", NODE.url)
        self.assertEqual(server.stop()[0], 0)

        ended = self.ends_with(0, "copy", "--from", self.storage, "--to", NODE.url)
        self.assertIn("copied: 1 orders, 3 journal entries, 1 idempotency keys", ended.stdout)
        self.assertIn("the same in both: 1 orders in USD, of 14999 minor units", ended.stdout)
        for url in (self.storage, NODE.url):
            self.assertEqual(self.ends_with(0, "verify", "--storage", url).stdout[:2], "ok")
        server = self.start("serve", "--listen", "127.0.0.1:0", *self.to, "--processor",
                            "simulate:0")
        again = server.fetch("POST", "/orders", json.dumps(ORDER), headers)
        self.assertEqual((again[0], again[2]), (made[0], made[2]))
        self.assertEqual(server.ask("GET", "/journal?limit=100"), before)
        self.refused("the target is not empty", "copy", "--from", self.storage, "--to", NODE.url)

    def test_keys_are_moved_as_well(self):
        key = self.ends_with(0, "keys", "create", "--name", "ann", "--scope", "orders:read",
                             "--storage", self.storage).stdout.strip()
        self.ends_with(0, "copy", "--from", self.storage, "--to", NODE.url)
        self.assertEqual(self.ends_with(0, "keys", "list", *self.to).stdout,
                         self.ends_with(0, "keys", "list", "--storage", self.storage).stdout)
        server = self.start("serve", "--listen", "127.0.0.1:0", *self.to, "--no-worker")
        with_key = {"Authorization": f"Bearer {key}"}
        self.assertEqual(server.fetch("GET", "/orders", None, with_key)[0], 200)
        self.assertEqual(server.fetch("GET", "/orders")[0], 401)

    def test_what_cannot_be_copied_is_said(self):
        self.refused("--from", "copy", "--from", NODE.url, "--to", NODE.url, code=2)
        self.refused("--to", "copy", "--from", self.storage, "--to", self.storage, code=2)
        with_password = NODE.url.replace("user=test", "user=test&password=s3cr3t")
        self.refused("ORDERPROC_TO", "copy", "--from", self.storage, "--to", with_password, code=2)
        self.refused("No such file", "copy", "--from", "sqlite:/nonexistent/x.db", "--to", NODE.url)
        self.ends_with(0, "verify", "--storage", self.storage)  # makes the file
        path = f"{self.folder.name}/to"
        with open(path, "w", encoding="ascii") as out:
            out.write(with_password + "\n")
        self.ends_with(0, "copy", "--from", self.storage, "--to-file", path)
        NODE.sql("DROP SCHEMA orderproc CASCADE")
        self.refused("orderproc migrate --init makes it", "copy", "--from", self.storage, "--to",
                     NODE.url)


class Models(Admin):
    def write(self, model):
        with tempfile.NamedTemporaryFile("w", dir=self.folder.name, suffix=".json",
                                         delete=False) as out:
            json.dump(model, out)
        return out.name

    def test_a_model_grows_while_servers_run(self):
        model = json.loads(self.ends_with(0, "model", "example", "fulfilment").stdout)
        warehouse = model["orders"]["attributes"][0]
        warehouse["indexed"] = False
        first = self.write(model)
        warehouse["indexed"] = True
        second = self.write(model)
        server = self.start("serve", "--listen", "127.0.0.1:0", *self.to, "--no-worker", "--model",
                            first)

        def submit(order_id):
            status, said = server.ask("POST", "/orders", {
                "order_id": order_id, "user_id": 7, "total_amount": 39.80,
                "lines": [{"sku": "TEE-S", "quantity": 2, "unit_amount": 19.90}],
                "attributes": {"warehouse": "north"}})
            self.assertEqual(status, 201, said)

        submit("A")
        submit("B")
        self.assertIn("warehouse is indexed",
                      self.ends_with(0, "migrate", *self.to, "--model", second, "--dry-run").stdout)
        done = self.ends_with(0, "migrate", *self.to, "--model", second).stdout
        self.assertIn("2 orders were indexed", done)
        submit("C")
        page = server.ask("GET", "/orders?attribute.warehouse=north")[1]
        self.assertEqual([it["order_id"] for it in page["items"]], ["C", "B", "A"])
        self.assertEqual(server.stop()[0], 0)
        self.ends_with(0, "verify", *self.to)


class Refusals(Admin):
    COMMANDS = (["serve", "--listen", "127.0.0.1:0"], ["work"], ["verify"])

    def test_another_encoding(self):
        NODE.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        for command in (*self.COMMANDS, ["migrate", "--init"]):
            self.refused("the encoding of this database is LATIN1: it has to be UTF8", *command,
                         "--storage", NODE.url + "&dbname=latin")

    def test_commits_that_are_not_synced(self):
        NODE.sql("ALTER ROLE test SET synchronous_commit TO off")
        for command in self.COMMANDS:
            self.refused("synchronous_commit is off", *command, *self.to)
        NODE.sql("ALTER ROLE test RESET synchronous_commit")

    def test_only_a_standby(self):
        NODE.sql("ALTER SYSTEM SET restore_command TO 'false'")
        path = self.restart_as("standby.signal")
        for command in self.COMMANDS:
            self.refused("no PostgreSQL server that takes writes was found", *command, *self.to)
        NODE.stop()
        os.remove(path)
        NODE.start()

    def test_a_clock_that_leases_cannot_bear(self):
        for lease in ("--lease=7s", "--lease=30s"):
            self.refused("--clock-skew-max: 8s is more than a quarter of --lease", "work", *self.to,
                         "--clock-skew-max", "8s", lease, code=2)
        self.refused("--clock-skew-max", "work", *self.to, "--clock-skew-max", "soon", code=2)
        self.start("work", *self.to, "--lease", "1s")  # a quarter of it, then


class WakeUps(Admin):
    def test_a_worker_hears_of_other_processes_also_after_a_restart(self):
        server = self.start("serve", "--listen", "127.0.0.1:0", *self.to, "--no-worker")
        self.start("work", *self.to, "--processor", "simulate:0", "--poll-interval", "24h")

        def complete(order_id):
            wait_until(lambda: server.ask("POST", "/orders", dict(ORDER, order_id=order_id))[0]
                       in (201, 409), f"{order_id} is taken")
            server.wait_for(order_id, "COMPLETED")

        for order_id in ("A", "B", "C"):
            complete(order_id)
        NODE.kill()
        NODE.start()
        for order_id in ("D", "E", "F"):
            complete(order_id)


if __name__ == "__main__":
    main()
