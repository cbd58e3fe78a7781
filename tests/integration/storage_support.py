"""Tests of commands that are the same for each storage.

usage: SOME_test.py ORDERPROC_BINARY [sqlite|postgres]
"""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402
from binary_support import BINARY, DEADLINE_S, WithStorage, run  # noqa: E402

IS_POSTGRES = sys.argv[2:] == ["postgres"]
NODE = None


def killed_after(seconds, *command):
    """Runs it, and kills it if it has not ended by then: what is there afterwards has to be right
    whenever that was."""
    child = subprocess.Popen([BINARY, *command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(DEADLINE_S)


def set_up_module():
    global NODE
    if not IS_POSTGRES:
        return
    if not postgres_node.programs():
        sys.exit(postgres_node.NOT_INSTALLED)
    NODE = postgres_node.Node()


def tear_down_module():
    if NODE:
        NODE.close()


class OnStorage(WithStorage):
    """A test with an empty storage of its own, of the kind that is asked for."""

    def setUp(self):
        super().setUp()
        if IS_POSTGRES:
            NODE.sql("DROP SCHEMA IF EXISTS orderproc CASCADE")
            self.storage = NODE.url
            self.ends_with(0, "migrate", "--init", "--storage", self.storage)

    def ends_with(self, code, *command, **environment):
        ended = run(*command, **environment)
        self.assertEqual(ended.returncode, code, ended)
        return ended

    def command(self, name, *arguments, code=0):
        """What it prints."""
        return self.ends_with(code, name, "--storage", self.storage, *arguments).stdout

    def object_of(self, name, *arguments, code=0):
        return json.loads(self.command(name, "--json", *arguments, code=code))

    def sql(self, statement):
        """Changes rows behind the program's back, such as their times. REQUIRES of SQLite: no
        process has it open."""
        if IS_POSTGRES:
            NODE.sql("SET search_path TO orderproc; " + statement)
            return
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as db:
            db.execute(statement)
            db.commit()

    def create(self, server, order, user=7, name="Ann"):
        status, answer = server.ask("POST", "/orders", {
            "order_id": order, "user_id": user, "item_ids": [1], "total_amount": "1.00",
            "metadata": {"name": name}})
        self.assertEqual(status, 201, answer)

    def settle(self, server, order):
        self.assertEqual(server.ask("POST", f"/orders/{order}/cancel")[0], 200)
