#!/usr/bin/env python3
"""An order that takes down whoever works on it costs its neighbours one attempt at most, and ends
FAILED with a reason, while somebody keeps starting the worker again.

usage: poison_test.py ORDERPROC_BINARY
"""

import subprocess

from binary_support import BINARY, DEADLINE_S, ORDER, WithStorage, main, run, wait_until

NEIGHBOURS = 40  # more than are tried as a group
ATTEMPTS = 3


class Poison(WithStorage):
    def start_worker(self):
        """A child that may be killed at any moment, before it is ready, too."""
        child = subprocess.Popen(
            [BINARY, "work", "--storage", self.storage, "--processor", "simulate:10ms,crash=POISON",
             "--lease", "1s", "--poll-interval", "100ms", "--attempts", str(ATTEMPTS)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, child)
        return child

    @staticmethod
    def end(child):
        child.kill()
        child.wait(DEADLINE_S)

    def test_a_poison_order_costs_its_neighbours_one_attempt_at_most(self):
        server = self.serve("--no-worker")
        orders = [dict(ORDER, order_id="POISON")] + [dict(ORDER, order_id=f"N-{i}")
                                                     for i in range(NEIGHBOURS)]
        status, made = server.ask("POST", "/orders/batch", orders)
        self.assertEqual((status, {it["status"] for it in made["items"]}), (200, {201}))

        crashes = 0
        worker = self.start_worker()

        def over():
            nonlocal worker, crashes
            if worker.poll() is not None:
                self.assertEqual(worker.returncode, -9)  # by its own hand, not a failure to start
                crashes += 1
                worker = self.start_worker()
            counts = server.ask("GET", "/metrics")[1]["orders_by_status"]
            return counts["completed"] + counts["failed"] == NEIGHBOURS + 1

        wait_until(over, "all orders are settled", 3 * DEADLINE_S)
        self.assertGreaterEqual(crashes, ATTEMPTS)

        poison = server.ask("GET", "/orders/POISON")[1]
        self.assertEqual((poison["status"], poison["attempts"]), ("FAILED", ATTEMPTS))
        self.assertIn("lease of worker", poison["last_error"])
        harmed = 0
        for i in range(NEIGHBOURS):
            order = server.ask("GET", f"/orders/N-{i}")[1]
            self.assertEqual(order["status"], "COMPLETED", order)
            self.assertLessEqual(order["attempts"], 2, order)  # one lost, the second completed it
            harmed += order["attempts"] > 1
        self.assertGreater(harmed, 0, "the poison harmed nobody: the run proved nothing")
        server.stop()
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)


if __name__ == "__main__":
    main()
