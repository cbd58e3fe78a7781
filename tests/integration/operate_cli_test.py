#!/usr/bin/env python3
"""`orderproc pause`, `resume`, `explain`, `dead list`, `dead retry` and `doctor` against real processes.

usage: operate_cli_test.py ORDERPROC_BINARY
"""

import contextlib
import datetime
import json
import signal
import sqlite3

from binary_support import WithStorage, main, run, wait_until

FAILS = "exec:/bin/false"


class Operating(WithStorage):
    def command(self, *arguments, code=0):
        ended = run(*arguments, ORDERPROC_URL=self.server.url)
        self.assertEqual(ended.returncode, code, ended)
        return ended.stdout

    def create(self, order):
        ended = run("order", "create", "--id", order, "--user", "1", "--item", "1", "--amount", "1",
                    ORDERPROC_URL=self.server.url)
        self.assertEqual(ended.returncode, 0, ended)

    def seen(self, target):
        status, answer = self.server.ask("GET", target)
        self.assertEqual(status, 200, answer)
        return answer

    def workers(self):
        return self.seen("/workers")["items"]

    def doctor(self, *arguments, code=0):
        ended = run("doctor", "--storage", self.storage, "--json", *arguments)
        self.assertEqual(ended.returncode, code, ended)
        return {it["code"]: it["state"] for it in map(json.loads, ended.stdout.splitlines())}

    def test_a_pause_holds_for_all_processes_and_over_restarts(self):
        self.server = self.serve("--no-worker")
        # The server's own engine is not the one that claims.
        self.assertIn("all work is paused since", self.command("pause", "--reason", "no gateway"))
        self.create("A")
        self.work("--processor", "simulate:1ms").stop(signal.SIGTERM)
        self.work("--processor", "simulate:1ms")
        wait_until(self.workers, "a worker that is heard")
        self.assertEqual(self.workers()[0]["state"], "paused")
        order = self.seen("/orders/A")
        self.assertEqual((order["status"], order["attempts"]), ("PENDING", 0))
        self.assertIn("All work is paused", self.command("explain", "A"))
        self.assertEqual(self.doctor("--only", "paused")["paused"], "warning")
        self.doctor("--only", "paused", "--strict", code=1)
        self.assertEqual(self.command("resume"), "nothing is paused\n")
        self.assertEqual(self.server.wait_for("A", "COMPLETED")["attempts"], 1)
        self.assertEqual(self.doctor("--only", "paused", "--strict")["paused"], "ok")

    def test_one_stage(self):
        self.server = self.serve("--no-worker")
        self.assertIn("stage PROCESSING is paused", self.command("pause", "PROCESSING"))
        self.command("pause", "PACKING", code=1)
        # An empty variable of a script does not stand for all work.
        self.command("pause", "", code=2)
        self.command("resume", "", code=2)
        self.assertEqual(json.loads(self.command("resume", "PROCESSING", "--json")), {"items": []})

    def test_dead_letters_and_why(self):
        self.server = self.serve("--processor", FAILS, "--attempts", "1")
        self.assertEqual(self.command("dead", "list"), "there are no dead letters\n")
        for order in ("A", "B"):
            self.create(order)
            self.server.wait_for(order, "FAILED")
        # What was read may be shown for 5 s.
        wait_until(lambda: self.seen("/dead-letters")["orders"] == 2, "both dead letters")
        heading, row = self.command("dead", "list").splitlines()
        self.assertEqual(heading.split()[0], "ORDERS")
        self.assertEqual(row.split()[:2], ["2", "2"])
        [group] = json.loads(self.command("dead", "list", "--json"))["groups"]
        ids = self.command("dead", "list", "--reason", group["reason"]).split()
        self.assertEqual(ids, ["B", "A"])
        self.assertEqual(
            len(self.command("dead", "list", "--reason", group["reason"], "--limit", "1").split()), 1)
        why = self.command("explain", "A")
        self.assertIn("Order A is FAILED since ", why)
        self.assertIn("1 other order has failed for the same reason.", why)
        self.assertIn("failed", why.splitlines()[-1])
        self.assertEqual(self.doctor(code=1)["dead_letters"], "problem")
        self.command("pause")  # so that what is retried stays PENDING
        self.assertIn("2 orders would be retried",
                      self.command("dead", "retry", "--reason", group["reason"], "--dry-run"))
        self.assertEqual(self.seen("/orders/A")["status"], "FAILED")
        self.assertEqual(self.command("dead", "retry", "--order", "A"),
                         "1 of 1 orders were retried, 0 were refused\n")
        self.assertEqual(self.command("dead", "retry", "--reason", group["reason"]),
                         "1 of 1 orders were retried, 0 were refused\n")
        self.assertEqual(self.seen("/orders/B")["status"], "PENDING")
        self.command("dead", "retry", code=2)
        self.command("resume")
        self.server.wait_for("A", "FAILED")
        self.command("explain", "NONE", code=1)

    def test_a_worker_that_is_killed_is_noticed(self):
        self.server = self.serve("--no-worker")
        worker = self.work("--processor", "simulate:1h")
        wait_until(self.workers, "a worker that is heard")
        self.create("A")
        self.server.wait_for("A", "PROCESSING")
        worker.kill()
        self.assertEqual(self.doctor()["worker_silent"], "ok")
        # As if it had been half a minute ago.
        [heard] = [it["heard_at"] for it in self.workers()]
        before = datetime.datetime.fromisoformat(heard[:-1]) - datetime.timedelta(seconds=31)
        earlier = before.isoformat(timespec="milliseconds") + "Z"
        with contextlib.closing(sqlite3.connect(f"{self.folder.name}/orders.db", timeout=30)) as db:
            db.execute("UPDATE records SET value = CAST(replace(CAST(value AS TEXT), ?, ?) AS BLOB)"
                       " WHERE collection = CAST('workers' AS BLOB)",
                       (f'"heard_at":"{heard}"', f'"heard_at":"{earlier}"'))
            db.commit()
        self.assertEqual(self.doctor()["worker_silent"], "warning")

    def test_a_worker_that_stops_leaves_no_record(self):
        self.server = self.serve("--no-worker")
        worker = self.work("--processor", "simulate:1h")
        wait_until(self.workers, "a worker that is heard")
        worker.stop(signal.SIGTERM)
        wait_until(lambda: not self.workers(), "a record that is removed")
        self.create("A")
        self.assertEqual(self.doctor(code=1)["no_workers"], "problem")

    def test_doctor_without_a_storage_and_with_a_server(self):
        self.server = self.serve("--no-worker")
        states = self.doctor("--url", self.server.url)
        self.assertEqual((states["storage"], states["server"]), ("ok", "ok"))
        self.doctor("--only", "nothing", code=2)
        self.server.stop(signal.SIGTERM)
        self.assertEqual(self.doctor("--url", self.server.url, code=1)["server"], "problem")
        ended = run("doctor", "--storage", "sqlite:/nowhere/orders.db")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("FAIL     storage", ended.stdout)
        self.assertIn("unknown  dead letters", ended.stdout)


if __name__ == "__main__":
    main()
