#!/usr/bin/env python3
"""`orderproc purge` and `serve --retain` against real processes.

usage: purge_cli_test.py ORDERPROC_BINARY [sqlite|postgres]
"""

import json
import signal

from binary_support import main, run, wait_until
from storage_support import IS_POSTGRES, OnStorage, killed_after
from storage_support import set_up_module as setUpModule  # noqa: F401
from storage_support import tear_down_module as tearDownModule  # noqa: F401

DAY_MS = 24 * 60 * 60 * 1000


class Purging(OnStorage):
    def serve_with_orders(self):
        """A and B are settled, C is open, D is settled."""
        server = self.serve("--no-worker")
        for order in ("A", "B", "C", "D"):
            self.create(server, order)
        for order in ("A", "B", "D"):
            self.settle(server, order)
        return server

    def make_older(self, days):
        """As if all had happened so much earlier."""
        self.sql(f"UPDATE journal SET at = at - {days * DAY_MS}")

    def audited(self):
        return [it for it in self.command("audit").splitlines() if "orders.purge" in it]

    def ids(self, server):
        return {it["order_id"] for it in server.ask("GET", "/orders?limit=100")[1]["items"]}

    def test_what_is_old_and_settled_goes(self):
        self.serve_with_orders().stop()
        self.assertEqual(self.object_of("purge", "--older-than", "72h")["orders"], 0)
        self.assertEqual(self.audited(), [])
        self.make_older(10)
        would = self.object_of("purge", "--older-than", "9d", "--dry-run")
        self.assertEqual((would["orders"], would["entries"], would["dry_run"],
                          would["held_by_cursor"]), (3, None, True, None))
        self.assertEqual(self.object_of("purge", "--older-than", "11d")["orders"], 0)
        server = self.serve("--no-worker")
        self.assertEqual(self.ids(server), {"A", "B", "C", "D"})
        done = self.object_of("purge", "--older-than", "9d", "--as", "Ann")
        self.assertEqual((done["orders"], done["entries"]), (3, 6))
        self.assertEqual(self.ids(server), {"C"})
        self.assertEqual(server.ask("GET", "/orders/A")[0], 404)
        self.assertEqual(len(server.ask("GET", "/orders/C/history")[1]["items"]), 1)
        self.assertEqual(self.object_of("purge", "--older-than", "9d")["orders"], 0)
        begins, went = self.audited()
        self.assertRegex(begins, r"cli:\S+ as Ann .*begins")
        self.assertIn("3 orders with 6 journal entries went", went)
        status, problem = server.ask("POST", "/orders", {
            "order_id": "A", "user_id": 1, "item_ids": [1], "total_amount": "1.00"})
        self.assertEqual((status, problem["code"]), (409, "order_exists"))
        self.settle(server, "C")
        server.stop()

    def test_what_it_prints(self):
        self.serve_with_orders().stop()
        self.make_older(10)
        self.assertIn("3 orders would be purged, settled before ",
                      self.command("purge", "--older-than", "9d", "--dry-run"))
        self.assertIn("purged: 3 orders with 6 journal entries, settled before ",
                      self.command("purge", "--older-than", "9d"))
        self.command("purge", code=2)
        self.command("purge", "--older-than", "71h", code=2)
        self.command("purge", "--older-than", "soon", code=2)
        ended = self.ends_with(2, "serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                               "--retain", "1d")
        self.assertIn("--retain: at least 72h", ended.stderr)

    def test_a_dead_letter_holds_it_back(self):
        server = self.serve("--processor", "exec:/bin/false", "--attempts", "1")
        self.create(server, "F")
        server.wait_for("F", "FAILED")
        server.stop()
        server = self.serve("--no-worker")
        self.create(server, "G")
        self.settle(server, "G")
        server.stop()
        self.make_older(10)
        self.sql(f"UPDATE {'work' if IS_POSTGRES else 'orders'} "
                 f"SET settled_at = settled_at - {10 * DAY_MS}")
        self.assertEqual(self.doctor(), [])  # nothing is purged by itself
        for retained, states in (("11d", []), ("9d", ["A dead letter is older than orders"])):
            server = self.serve("--no-worker", "--retain", retained)
            found = [it["text"] for it in server.ask("GET", "/findings")[1]["findings"]
                     if it["code"] == "purge_held"]
            self.assertEqual([it[:34] for it in found], states)
            server.stop()
        would = self.object_of("purge", "--older-than", "9d", "--dry-run")
        self.assertEqual((would["orders"], would["held_by_order"]), (0, "F"))
        self.assertEqual(self.object_of("purge", "--older-than", "9d")["held_by_order"], "F")
        said = self.command("purge", "--older-than", "9d")
        self.assertIn("held back by order F, which is FAILED since ", said)
        self.assertEqual(self.object_of("purge", "--older-than", "9d", "--failed")["orders"], 2)
        self.assertEqual(["also dead letters" in it for it in self.audited()][-2:], [True, True])

    def test_a_cursor_holds_it_back_and_doctor_names_it(self):
        server = self.serve_with_orders()
        self.assertEqual(self.doctor(), [])
        server.stop()
        self.make_older(5)
        epoch = "(SELECT epoch FROM epochs ORDER BY first, epoch LIMIT 1)"
        moved = "(SELECT max(at) FROM journal)"
        self.sql("INSERT INTO cursors(name, owner, epoch, position, expires_at, moved_at) "
                 f"VALUES('books', 'me', {epoch}, 5, 0, {moved})")
        # A (1), B (2), C (3), D (4) are made, A (5), B (6) and D (7) cancelled.
        [found] = self.doctor()
        self.assertIn("Cursor books has not passed 2 entries", found["text"])
        would = self.object_of("purge", "--older-than", "4d", "--dry-run")
        self.assertEqual((would["orders"], would["held_by_cursor"]), (1, "books"))
        self.assertEqual(self.object_of("purge", "--older-than", "4d")["orders"], 1)
        said = self.command("purge", "--older-than", "4d")
        self.assertIn("held back by cursor books, which has not passed what was written at", said)
        server = self.serve("--no-worker")
        self.assertEqual(self.ids(server), {"B", "C", "D"})

    def doctor(self):
        found = map(json.loads, run("doctor", "--storage", self.storage, "--json", "--only",
                                    "purge_held").stdout.splitlines())
        return [it for it in found if it["state"] != "ok"]

    def test_killed_at_any_time_it_leaves_whole_orders(self):
        server = self.serve("--no-worker")
        for number in range(30):
            self.create(server, f"O-{number}")
            self.settle(server, f"O-{number}")
        server.stop()
        self.make_older(10)
        for step in range(20):
            killed_after(0.005 * step, "purge", "--storage", self.storage, "--older-than", "9d")
            self.command("verify")
        self.command("purge", "--older-than", "9d")
        self.assertEqual(self.object_of("purge", "--older-than", "9d", "--dry-run")["orders"], 0)
        self.command("verify")

    def test_a_server_retains_what_it_is_told_to(self):
        self.serve_with_orders().stop()
        self.make_older(10)
        server = self.serve("--no-worker", "--retain", "9d")
        wait_until(lambda: self.ids(server) == {"C"}, "what is old is purged")
        wait_until(lambda: len(self.audited()) == 2, "both audit records")
        self.assertTrue(all(" retention " in it for it in self.audited()))
        self.assertEqual(server.stop(signal.SIGTERM)[0], 0)


if __name__ == "__main__":
    main()
