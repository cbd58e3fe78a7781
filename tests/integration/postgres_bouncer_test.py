#!/usr/bin/env python3
"""Servers and workers behind pgbouncer: with a session for each, and refused without.

usage: postgres_bouncer_test.py ORDERPROC_BINARY

Exits with 77 where PostgreSQL's server or pgbouncer is not installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402
from binary_support import BINARY, ORDER, Running, main, run, wait_until  # noqa: E402

BOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
NODE = None


def setUpModule():
    global NODE
    if not postgres_node.programs() or not BOUNCER:
        sys.exit(postgres_node.NOT_INSTALLED)
    NODE = postgres_node.Node()


def tearDownModule():
    NODE.close()


class Bouncer(unittest.TestCase):
    def setUp(self):
        NODE.sql("DROP SCHEMA IF EXISTS orderproc CASCADE")
        ended = run("migrate", "--init", "--storage", NODE.url)
        self.assertEqual(ended.returncode, 0, ended)

    def start(self, mode, *settings):
        """The URL of the database behind it."""
        folder = tempfile.mkdtemp(dir=NODE.folder)
        os.chmod(folder, 0o777)
        with open(f"{folder}/pgbouncer.ini", "w", encoding="ascii") as out:
            out.write("[databases]\n"
                      f"test = host={NODE.folder} port=5432 user=test dbname=test\n"
                      "[pgbouncer]\n"
                      f"unix_socket_dir = {folder}\n"
                      "listen_addr =\nlisten_port = 6432\nauth_type = any\n"
                      f"pool_mode = {mode}\n" + "".join(f"{it}\n" for it in settings))
        child = subprocess.Popen([BOUNCER, "-q", f"{folder}/pgbouncer.ini"],
                                 **dict(NODE.options(), stderr=subprocess.DEVNULL))
        self.addCleanup(child.wait, postgres_node.DEADLINE_S)
        self.addCleanup(child.kill)
        wait_until(lambda: os.path.exists(f"{folder}/.s.PGSQL.6432"), "it listens")
        return f"postgresql:///test?host={folder}&port=6432&user=test"

    def test_with_a_session_for_each_all_is_as_without_it(self):
        url = self.start("session")
        server = Running(self, BINARY, "serve", "--listen", "127.0.0.1:0", "--no-worker",
                         "--storage", url)
        Running(self, BINARY, "work", "--storage", url, "--processor", "simulate:0")
        self.assertEqual(server.ask("POST", "/orders", ORDER)[0], 201)
        server.wait_for(ORDER["order_id"], "COMPLETED")
        self.assertEqual(server.stop()[0], 0)
        ended = run("verify", "--storage", url)
        self.assertEqual(ended.returncode, 0, ended)

    def test_without_it_is_refused(self):
        for settings in ([], ["server_round_robin = 1"]):
            with self.subTest(settings):
                url = self.start("transaction", *settings)
                for command in (["serve", "--listen", "127.0.0.1:0"], ["work"], ["verify"]):
                    ended = run(*command, "--storage", url)
                    self.assertEqual(ended.returncode, 1, ended)
                    self.assertIn("set its pool_mode to session, or connect directly",
                                  ended.stderr)
                    self.assertEqual(ended.stderr.count("\n"), 1, ended)


if __name__ == "__main__":
    main()
