#!/usr/bin/env python3
"""`orderproc backup` and `restore` of an SQLite file, against real processes.

usage: backup_cli_test.py ORDERPROC_BINARY
"""

import json
import os
import re
import signal
import stat
import threading

from binary_support import BINARY, Running, main, wait_until
from storage_support import OnStorage, killed_after

def secret(order):
    return f"secret of {order}."


class Backups(OnStorage):
    def setUp(self):
        super().setUp()
        self.copy = f"{self.folder.name}/copy.db"
        self.put_back = f"{self.folder.name}/again/orders.db"
        os.mkdir(os.path.dirname(self.put_back))
        self.log = f"{self.folder.name}/redactions"

    def back_up(self, *arguments, code=0):
        return self.ends_with(code, "backup", "--storage", self.storage, *arguments)

    def restore(self, *arguments, code=0):
        return self.ends_with(code, "restore", "--storage", f"sqlite:{self.put_back}", *arguments)

    def files(self):
        return sorted(os.listdir(self.folder.name))

    def serve_again(self, *arguments):
        return Running(self, BINARY, "serve", "--listen", "127.0.0.1:0", "--storage",
                       f"sqlite:{self.put_back}", *arguments)

    def test_a_copy_beside_a_server_is_whole_alone_and_verified(self):
        server = self.serve("--no-worker")
        for order in ("A", "B"):
            self.create(server, order)
        said = self.back_up(self.copy).stdout
        self.assertIn(f"{self.copy}: 2 orders, 2 journal entries, ", said)
        self.assertIn("verified", said)
        self.assertEqual(stat.S_IMODE(os.stat(self.copy).st_mode), 0o600)
        self.assertEqual([it for it in self.files() if it.startswith("copy")], ["copy.db"])
        self.create(server, "C")
        # A name that is taken is left alone.
        before = os.stat(self.copy)
        self.assertIn("exists", self.back_up(self.copy, code=1).stderr)
        self.assertEqual(os.stat(self.copy).st_ino, before.st_ino)
        made = json.loads(self.back_up(f"{self.folder.name}/copy-{{time}}.db", "--json").stdout)
        self.assertRegex(made["file"], r"/copy-\d{8}T\d{6}Z\.db$")
        self.assertEqual((made["orders"], made["entries"]), (3, 3))
        self.assertEqual(made["bytes"], os.path.getsize(made["file"]))
        self.back_up(code=2)
        self.ends_with(1, "backup", "--storage", f"sqlite:{self.folder.name}/none.db", "x")
        self.ends_with(2, "backup", "--storage", "memory:", "x")
        self.create(server, "D")
        self.assertEqual(server.stop(signal.SIGTERM)[0], 0)

    def test_a_check_writes_nothing(self):
        server = self.serve("--no-worker")
        for order in ("A", "B"):
            self.create(server, order)
        self.settle(server, "A")
        self.back_up(self.copy)
        before, content = self.files(), os.stat(self.copy).st_mtime_ns
        said = self.restore("--check", self.copy).stdout
        self.assertRegex(said, r"unfinished: B, PENDING since \S+, 0 attempts\n")
        self.assertIn("ok: 2 orders, 1 of them unfinished; the journal ends at entry 3", said)
        self.assertEqual((self.files(), os.stat(self.copy).st_mtime_ns), (before, content))
        self.assertEqual(os.listdir(os.path.dirname(self.put_back)), [])
        with open(self.copy, "r+b") as file:
            file.truncate(os.path.getsize(self.copy) // 2)
        self.restore("--check", self.copy, code=1)

    def test_a_restore_repeats_nothing(self):
        server = self.serve("--no-worker")
        for order in ("A", "B", "C", "D"):
            self.create(server, order, name=secret(order))
        for order in ("A", "B"):
            self.settle(server, order)
        key = self.ends_with(0, "keys", "create", "--storage", self.storage, "--name", "shop",
                             "--scope", "orders:read,orders:write").stdout.strip()
        self.back_up(self.copy)
        # Since then A is redacted, and C is settled and redacted.
        self.command("redact", "--redaction-log", self.log, "A")
        fields = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: server.fetch("POST", "/orders/C/cancel", None, fields)[0] == 200,
                   "the key counts")
        self.command("redact", "--redaction-log", self.log, "C")
        position = json.loads(server.fetch("GET", "/journal", None, fields)[2])["next"]
        server.stop()

        self.restore(self.copy, code=2)  # nothing is said about redactions
        said = self.restore(self.copy, "--redaction-log", self.log).stdout
        self.assertEqual(re.findall(r"^unfinished: (\w+), PENDING", said, re.M), ["C", "D"])
        self.assertIn("not redacted: C was redacted, but is unfinished here", said)
        self.assertIn("1 orders redacted again; 1 keys disabled", said)
        self.assertIn("All work is paused", said)
        self.assertEqual(os.listdir(os.path.dirname(self.put_back)), ["orders.db"])
        with open(self.put_back, "rb") as file:
            left = file.read()
        self.assertNotIn(secret("A").encode(), left)
        self.assertIn(secret("B").encode(), left)
        self.look_at_what_was_restored(key, position)

    def look_at_what_was_restored(self, key, position):
        storage = ["--storage", f"sqlite:{self.put_back}"]
        server = self.serve_again("--processor", "simulate:0")
        fields = {"Authorization": f"Bearer {key}"}
        self.assertEqual(server.fetch("GET", "/orders/A", None, fields)[0], 401)
        [listed] = map(json.loads, self.ends_with(
            0, "keys", "list", "--json", *storage).stdout.splitlines())
        self.assertEqual(listed["state"], "disabled")
        self.ends_with(0, "keys", "enable", listed["id"], *storage)
        wait_until(lambda: server.fetch("GET", "/orders/A", None, fields)[0] == 200,
                   "the key counts again")

        def seen(order):
            return json.loads(server.fetch("GET", f"/orders/{order}", None, fields)[2])
        self.assertEqual(seen("A")["metadata"], {})
        self.assertEqual(seen("B")["metadata"], {"name": secret("B")})
        # Whoever had seen more is told to start anew; nobody works.
        status, _, text = server.fetch("GET", f"/journal?after={position}", None, fields)
        self.assertEqual((status, json.loads(text)["reset"]), (200, True))
        self.assertEqual(self.ends_with(1, "doctor", *storage, "--only", "paused", "--strict",
                                        "--json").returncode, 1)
        self.assertEqual((seen("D")["status"], seen("D")["attempts"]), ("PENDING", 0))
        audit = self.ends_with(0, "audit", *storage).stdout
        self.assertIn("storage.restore", audit)
        self.assertIn("key.disable", audit)
        server.stop()
        self.ends_with(0, "verify", *storage)

    def test_a_file_that_is_there_is_left_alone(self):
        server = self.serve("--no-worker")
        self.create(server, "A")
        self.back_up(self.copy)
        for name in ("", "-wal"):
            with self.subTest(name):
                path = self.put_back + name
                with open(path, "wb") as out:
                    out.write(b"something")
                refused = self.restore(self.copy, "--no-redactions", code=1).stderr
                self.assertIn("exists", refused)
                self.assertNotIn("order id", refused)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), b"something")
                os.remove(path)
        # Also if the server's file was moved away under it.
        os.rename(self.file, self.file + ".old")
        ended = self.ends_with(1, "restore", "--storage", self.storage, "--no-redactions",
                               self.copy)
        self.assertRegex(ended.stderr, "exists|still uses")
        os.rename(self.file + ".old", self.file)
        self.ends_with(1, "restore", "--storage", f"sqlite:{self.put_back}", "--no-redactions",
                       self.file)  # in use: it has a log
        server.stop()

    def test_a_damaged_redaction_log_stops_a_restore(self):
        self.serve("--no-worker").stop()
        self.back_up(self.copy)
        with open(self.log, "w", encoding="utf-8") as out:
            out.write("nonsense\n")
        said = self.restore(self.copy, "--redaction-log", self.log, code=1).stderr
        self.assertIn("line 1, is damaged", said)
        self.restore(self.copy, "--redaction-log", self.log + ".none", code=2)
        self.assertEqual(os.listdir(os.path.dirname(self.put_back)), [])

    def test_killed_at_any_time_it_leaves_the_old_or_the_new_state(self):
        server = self.serve("--no-worker")
        for i in range(50):
            self.create(server, f"O-{i}", name="x" * 2000)
        self.kill_often(["backup", "--storage", self.storage, self.copy], self.copy)
        self.back_up(self.copy)
        self.kill_often(["restore", "--storage", f"sqlite:{self.put_back}", "--no-redactions",
                         self.copy], self.put_back)
        self.restore(self.copy, "--no-redactions")
        self.ends_with(0, "verify", "--storage", f"sqlite:{self.put_back}")
        server.stop()
        self.ends_with(0, "verify", "--storage", self.storage)

    def kill_often(self, command, made):
        for step in range(25):
            killed_after(0.004 * step, *command)
            if not os.path.exists(made):
                continue
            ended = self.ends_with(0, "restore", "--check", made, "--storage",
                                   f"sqlite:{self.folder.name}/none.db")
            self.assertIn("ok: 50 orders", ended.stdout)
            os.remove(made)

    def test_beside_writers_the_copy_is_of_one_moment(self):
        server = self.serve("--processor", "simulate:0")
        stop = threading.Event()
        made = []

        def write():
            while not stop.is_set():
                order = f"W-{len(made)}"
                self.create(server, order)
                made.append(order)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                wait_until(lambda n=number: len(made) > 20 * (n + 1), "some orders")
                acknowledged = len(made)
                copy = f"{self.copy}-{number}"
                found = json.loads(self.back_up(copy, "--json").stdout)
                self.assertGreaterEqual(found["orders"], acknowledged)
        finally:
            stop.set()
            writer.join()
        server.stop()
        self.ends_with(0, "verify", "--storage", self.storage)


if __name__ == "__main__":
    main()
