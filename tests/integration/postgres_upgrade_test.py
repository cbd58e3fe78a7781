#!/usr/bin/env python3
"""A schema that grows while servers of two versions use it, under load.

usage: postgres_upgrade_test.py ORDERPROC_BINARY NEXT_BINARY

The second program is the same, but for a migration that only a test has.
"""

import json
import os
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402
from binary_support import BINARY, ORDER, Running, main, run, wait_until  # noqa: E402

NEXT = sys.argv[2]
NODE = None
PER_PHASE = 40  # orders that each client has to place before the next step


def setUpModule():
    global NODE
    if not postgres_node.programs():
        sys.exit(postgres_node.NOT_INSTALLED)
    NODE = postgres_node.Node()


def tearDownModule():
    NODE.close()


class Client(threading.Thread):
    """Places orders and reads them, one after the other, until it is told to stop."""

    def __init__(self, name, server):
        super().__init__(daemon=True)
        self.prefix, self.server = name, server
        self.placed, self.wrong = [], []
        self.ended = threading.Event()
        self.start()

    def run(self):
        number = 0
        while not self.ended.is_set():
            number += 1
            order_id = f"{self.prefix}-{number}"
            for method, target, body in (("POST", "/orders", dict(ORDER, order_id=order_id)),
                                         ("GET", "/orders?limit=5", None)):
                try:
                    status, fields, said = self.ask(method, target, body)
                except OSError as e:
                    self.wrong.append(repr(e))
                    return
                if status == 201:
                    self.placed.append(order_id)
                elif not (status == 200 or status == 503 and fields["Retry-After"]):
                    self.wrong.append((method, target, status, said))

    def ask(self, method, target, body):
        headers = {"Content-Type": "application/json"} if body else {}
        return self.server.fetch(method, target, json.dumps(body) if body else None, headers)

    def stop(self):
        self.ended.set()
        self.join()


class Upgrade(unittest.TestCase):
    def test_two_versions_serve_one_database(self):
        self.storage = ["--storage", NODE.url]
        self.assertEqual(run("migrate", "--init", *self.storage).returncode, 0)
        servers = [self.serve(BINARY)]
        self.work(BINARY)
        clients = [Client(f"OLD{i}", servers[0]) for i in range(2)]
        self.phase(clients)

        ended = self.run_next("migrate", *self.storage)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("went from schema version 1 to 2", ended.stdout)
        self.phase(clients)  # the older ones go on

        servers.append(self.serve(NEXT))
        self.work(NEXT)
        clients += [Client(f"NEW{i}", servers[1]) for i in range(2)]
        self.phase(clients)
        servers.append(self.serve(BINARY))  # an older one may also start
        clients.append(Client("OLD", servers[2]))
        self.phase(clients)

        for it in clients:
            it.stop()
        self.assertEqual([it.wrong for it in clients], [[]] * len(clients))
        for it in clients:
            for order_id in it.placed:
                servers[1].wait_for(order_id, "COMPLETED")
        for server in servers:
            self.assertEqual(server.stop()[0], 0)
        for program in (run, self.run_next):
            ended = program("verify", *self.storage)
            self.assertEqual(ended.returncode, 0, ended)
        ended = run("migrate", *self.storage)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("update orderproc", ended.stderr)

    def phase(self, clients):
        before = [len(it.placed) for it in clients]
        wait_until(lambda: all(it.wrong or len(it.placed) >= was + PER_PHASE
                               for it, was in zip(clients, before)), "they place orders", 240)

    def serve(self, program):
        return Running(self, program, "serve", "--listen", "127.0.0.1:0", "--no-worker",
                       *self.storage)

    def work(self, program):
        return Running(self, program, "work", "--processor", "simulate:0", *self.storage)

    @staticmethod
    def run_next(*arguments):
        return subprocess.run([NEXT, *arguments], capture_output=True, text=True, timeout=240,
                              check=False)


if __name__ == "__main__":
    main()
