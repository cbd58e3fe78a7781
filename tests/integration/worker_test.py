#!/usr/bin/env python3
"""Workers as processes: many orders at a time, what a killed one leaves to others, and what they
log.

usage: worker_test.py ORDERPROC_BINARY
"""

import json
import signal
from datetime import datetime, timezone

from binary_support import ORDER, WithStorage, main, run, wait_until


def batch(server, orders):
    status, made = server.ask("POST", "/orders/batch", orders)
    assert status == 200 and all(it["status"] == 201 for it in made["items"]), made


def counts(server):
    return server.ask("GET", "/metrics")[1]["orders_by_status"]


class Workers(WithStorage):
    def test_one_thread_holds_thousands_of_orders_that_wait(self):
        orders = 3000
        server = self.serve("--in-flight", str(orders), "--processor", "simulate:1h", "--drain", "0s")
        threads = self.threads_of(server)
        for first in range(0, orders, 1000):
            batch(server, [dict(ORDER, order_id=f"M-{i}") for i in range(first, first + 1000)])
        # All at once: not one of them ends before the others have begun.
        wait_until(lambda: counts(server)["processing"] == orders, "all are worked on")
        self.assertEqual(self.threads_of(server), threads)
        code, _ = server.stop()
        self.assertEqual(code, 0)
        again = self.serve("--no-worker")
        self.assertEqual(counts(again)["pending"], orders)  # each was given back
        again.stop()
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)

    @staticmethod
    def threads_of(process):
        with open(f"/proc/{process.child.pid}/status", encoding="ascii") as file:
            return next(line for line in file if line.startswith("Threads:"))

    def test_in_flight_is_a_limit(self):
        server = self.serve("--in-flight", "3", "--processor", "simulate:1h", "--drain", "0s")
        batch(server, [dict(ORDER, order_id=f"M-{i}") for i in range(10)])
        wait_until(lambda: counts(server)["processing"] == 3, "three are worked on")
        server.ask("POST", "/orders", ORDER)  # wakes it, to no avail
        self.assertEqual(counts(server)["processing"], 3)

    def test_a_killed_workers_orders_are_done_by_others_in_time(self):
        orders, lease_s = 50, 2
        server = self.serve("--no-worker")
        lost = self.work("--processor", "simulate:1h", "--lease", f"{lease_s}s")
        batch(server, [dict(ORDER, order_id=f"K-{i}") for i in range(orders)])
        wait_until(lambda: counts(server)["processing"] == orders, "all are worked on")
        self.work("--processor", "simulate:0", "--lease", f"{lease_s}s")
        lost.kill()
        killed = datetime.now(timezone.utc)
        self.assertEqual(lost.child.returncode, -signal.SIGKILL)
        wait_until(lambda: counts(server)["completed"] == orders, "others did them")
        for i in range(orders):
            entries = server.ask("GET", f"/orders/K-{i}/history")[1]["items"]
            self.assertEqual([it["event"] for it in entries],
                             ["create", "start", "release", "start", "complete"])
            at = [datetime.fromisoformat(it["at"].replace("Z", "+00:00")) for it in entries]
            # Not before its end; a lease is counted from when it was asked for, a little earlier.
            self.assertGreater((at[2] - at[1]).total_seconds(), lease_s / 2)
            self.assertLessEqual((at[3] - killed).total_seconds(), lease_s + 5)
            self.assertEqual(len({entries[1]["actor"], entries[3]["actor"]}), 2)
            self.assertIn("expired", entries[2]["reason"])

    def log_of(self, *arguments, orders):
        server = self.serve("--log", "json", *arguments)
        for it in orders:
            server.ask("POST", "/orders", it)
        for it in orders:
            wait_until(lambda: server.ask("GET", f"/orders/{it['order_id']}")[1]["status"]
                       in ("COMPLETED", "FAILED"), f"{it['order_id']} is settled")
        code, text = server.stop()
        self.assertEqual(code, 0)
        return [json.loads(it) for it in text.splitlines()]

    def test_each_retry_and_failure_is_one_line_at_info_and_success_none(self):
        def wants(name, outcome):
            return dict(ORDER, order_id=name, metadata={"simulate": {"outcome": outcome}})

        lines = self.log_of("--processor", "simulate:0", "--attempts", "3", "--retry-base", "1ms",
                            orders=[wants("R", "retry"), wants("F", "fail"), wants("C", "complete")])
        told = [(it["event"], it["order_id"], it["attempt"], it["outcome"]) for it in lines]
        self.assertEqual(sorted(told), [
            ("attempt_finished", "R", 1, "retried"), ("attempt_finished", "R", 2, "retried"),
            ("order_failed", "F", 1, "gave_up"), ("order_failed", "R", 3, "gave_up")], lines)
        self.assertEqual({it["level"] for it in lines}, {"info"})

    def test_at_debug_each_request_is_one_line_and_secrets_are_none(self):
        server = self.serve("--log", "json", "--log-level", "debug", "--no-worker")
        secret = "tOpSeCrEt"
        server.fetch("GET", "/orders/A%0aB?x=1", headers={"Authorization": f"Bearer {secret}",
                                                          "Idempotency-Key": secret})
        server.fetch("POST", "/orders", json.dumps(dict(ORDER, metadata={"card": secret})),
                     {"Content-Type": "application/json", "Idempotency-Key": secret})
        code, text = server.stop()
        self.assertEqual(code, 0)
        lines = [json.loads(it) for it in text.splitlines()]
        requests = [it for it in lines if it["event"] == "request"]
        self.assertEqual([(it["method"], it["status"]) for it in requests],
                         [("GET", 401), ("POST", 201)])
        self.assertEqual({it["level"] for it in requests}, {"debug"})
        self.assertNotIn(secret, text)


if __name__ == "__main__":
    main()
