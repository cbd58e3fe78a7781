#!/usr/bin/env python3
"""The binary as people use it: wrong usage, settings, one order from POST to COMPLETED, signals.

usage: cli_test.py ORDERPROC_BINARY
"""

import contextlib
import http.client
import http.server
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

from binary_support import BINARY, DEADLINE_S, ORDER, Running, WithStorage, main, run, wait_until


class CommandLine(WithStorage):
    def test_wrong_usage_exits_2_and_says_why(self):
        for arguments in ([], ["nonsense"], ["serve", "--nonsense"], ["serve", "--in-flight", "0"],
                          ["serve", "--in-flight", "many"], ["bench", "nonsense"],
                          ["--config", "/nonexistent", "serve"],
                          ["serve", "--cors-origin", "https://shop.example/"],
                          ["serve", "--cors-header", "X Tenant"], ["serve", "--allowed-host", "orders.example:80"],
                          ["serve", "--allowed-host", "https://orders.example"]):
            with self.subTest(arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, 2, ended)
                self.assertTrue(ended.stderr or ended.stdout)

    def test_help_shows_defaults_and_exits_0(self):
        self.assertEqual(run("--help").returncode, 0)
        self.assertEqual(run("--version").returncode, 0)
        for name in ("serve", "work", "verify", "bench"):
            with self.subTest(name):
                ended = run(name, "--help")
                self.assertEqual(ended.returncode, 0)
        self.assertIn("127.0.0.1:8000", run("serve", "--help").stdout)
        self.assertIn("ORDERPROC_STORAGE", run("serve", "--help").stdout)

    def refused(self, code, *arguments):
        with self.subTest(arguments):
            ended = run(*arguments)
            self.assertEqual(ended.returncode, code, ended)
            self.assertTrue(ended.stderr, ended)

    def test_what_is_no_value_exits_2_and_says_why(self):
        for setting in (["--storage", "mysql://x"], ["--processor", "nothing"], ["--lease", "soon"],
                        ["--timeout", "soon"], ["--retry-base", "soon"], ["--drain", "soon"]):
            elsewhere = [] if setting[0] == "--storage" else ["--storage", self.storage]
            self.refused(2, "serve", "--listen", "127.0.0.1:0", *elsewhere, *setting)
            self.refused(2, "work", *elsewhere, *setting)
        for address in ("localhost", "192.0.2.1:80"):  # the other one lacks the admissions
            self.refused(2, "serve", "--storage", self.storage, "--listen", address)
        self.refused(2, "verify", "--storage", "mysql://x")
        self.refused(2, "bench", "noop", "--address", "localhost")
        self.refused(2, "bench", "noop", "--duration", "soon")

    def test_what_is_not_there_exits_1_and_says_why(self):
        nowhere = ["--storage", "sqlite:/nonexistent/orders.db"]
        self.refused(1, "serve", "--listen", "127.0.0.1:0", *nowhere)
        self.refused(1, "work", *nowhere)
        self.refused(1, "verify", *nowhere)

    def test_connections_need_files(self):
        def limited(limit, connections):
            return ("/bin/sh", "-c", f'ulimit {limit} && exec "$@"', "sh", BINARY, "serve",
                    "--no-worker", "--listen", "127.0.0.1:0", "--storage", self.storage,
                    "--connections", connections)

        ended = subprocess.run(limited("-n 160", "97"), capture_output=True, text=True,
                               timeout=DEADLINE_S, check=False)
        self.assertEqual(ended.returncode, 2, ended)
        self.assertIn("--connections", ended.stderr)
        for limit in ("-n 160", "-Sn 80"):  # the second one is raised
            self.assertEqual(Running(self, *limited(limit, "96")).stop()[0], 0)

    def test_other_addresses_than_loopback_need_three_admissions(self):
        everywhere = ["serve", "--listen", "0.0.0.0:0", "--storage", self.storage]
        refused = run(*everywhere)
        self.assertEqual(refused.returncode, 2)
        for word in ("--insecure-http", "--insecure-no-auth", "--processor"):
            self.assertIn(word, refused.stderr)
        running = self.start(*everywhere, "--insecure-http", "--insecure-no-auth",
                             "--processor", "simulate:0")
        self.assertEqual(running.stop()[0], 0)

    def test_an_order_goes_from_post_to_completed(self):
        running = self.serve("--processor", "simulate:50ms")
        status, made = running.ask("POST", "/orders", ORDER)
        self.assertEqual(status, 201)
        self.assertEqual((made["id"], made["status"], made["version"]), (1, "PENDING", 1))
        done = running.wait_for("ORD-A8F64D2E", "COMPLETED")
        self.assertEqual((done["version"], done["attempts"]), (3, 1))
        counts = running.ask("GET", "/metrics")[1]
        self.assertEqual(counts["total_orders_processed"], 1)
        self.assertGreaterEqual(counts["average_processing_time"], 0.05)
        code, errors = running.stop()
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)

    def test_a_worker_of_its_own_completes_what_a_server_without_one_took(self):
        server = self.serve("--no-worker")
        server.ask("POST", "/orders", ORDER)
        worker = self.start("work", "--storage", self.storage, "--processor", "simulate:0")
        server.wait_for("ORD-A8F64D2E", "COMPLETED")
        self.assertEqual(worker.stop()[0], 0)
        self.assertEqual(server.stop()[0], 0)

    def test_orders_survive_a_restart(self):
        first = self.serve("--no-worker")
        first.ask("POST", "/orders", ORDER)
        self.assertEqual(first.stop(signal.SIGINT)[0], 0)
        second = self.serve("--no-worker")
        self.assertEqual(second.ask("GET", "/orders/ORD-A8F64D2E")[0], 200)
        self.assertEqual(second.ask("POST", "/orders", ORDER)[0], 409)

    def test_sigterm_releases_what_cannot_be_finished_and_gives_the_attempt_back(self):
        running = self.serve("--processor", "simulate:1h", "--drain", "0s")
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "PROCESSING")
        self.assertEqual(running.stop()[0], 0)
        again = self.serve("--no-worker")
        found = again.ask("GET", "/orders/ORD-A8F64D2E")[1]
        self.assertEqual((found["status"], found["attempts"]), ("PENDING", 0))

    def test_a_flag_is_stronger_than_the_environment_and_that_than_the_file(self):
        file = f"{self.folder.name}/orderproc.toml"

        def listens_on(port, *arguments, **environment):
            ended = self.start("--config", file, "serve", "--storage", self.storage, "--no-worker",
                               *arguments, **environment)
            self.assertEqual(ended.stop()[0], 0)
            self.assertIn(f"127.0.0.{port}:", ended.ready_line)

        with open(file, "w", encoding="utf-8") as out:
            out.write('listen = "127.0.0.3:0"\n[work]\nprocessor = "simulate:0"\n')
        listens_on(3)
        listens_on(4, ORDERPROC_LISTEN="127.0.0.4:0")
        listens_on(5, "--listen", "127.0.0.5:0", ORDERPROC_LISTEN="127.0.0.4:0")
        with open(file, "w", encoding="utf-8") as out:
            out.write('[serve]\nlisten = "127.0.0.6:0"\nno-worker = true\n')
        listens_on(6)
        with open(file, "w", encoding="utf-8") as out:
            out.write("[serve]\nnonsense = 1\n")
        ended = run("--config", file, "serve")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("nonsense", ended.stderr)

    def test_verify_notices_a_lost_order(self):
        running = self.serve("--processor", "simulate:0")
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")
        running.stop()
        with sqlite3.connect(f"{self.folder.name}/orders.db") as db:
            db.execute("DELETE FROM orders")
        db.close()
        ended = run("verify", "--storage", self.storage)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("ORD-A8F64D2E", ended.stdout)

    def test_an_older_file_is_refused_until_it_is_migrated(self):
        with open(os.path.join(os.path.dirname(__file__), "schema_1.sql"), encoding="utf-8") as sql:
            with sqlite3.connect(f"{self.folder.name}/orders.db") as db:
                db.executescript(sql.read())
            db.close()
        for command in ("serve", "work"):
            ended = run(command, "--storage", self.storage, *self.loopback(command))
            self.assertEqual(ended.returncode, 1)
            self.assertTrue(ended.stderr.endswith(
                f": migrate it first: orderproc migrate --storage {self.storage}\n"), ended.stderr)
        ended = run("migrate", "--storage", self.storage, "--dry-run")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 1)
        ended = run("migrate", "--storage", self.storage)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("from schema version 1 to 8", ended.stdout)
        self.assertIn("already", run("migrate", "--storage", self.storage).stdout)
        ended = run("verify", "--storage", self.storage)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        running = self.serve("--processor", "simulate:0")
        running.wait_for("OLD-4", "COMPLETED")
        self.assertEqual(run("migrate", "--storage", "memory:").returncode, 2)
        self.assertEqual(run("migrate", "--storage", "sqlite:/nowhere/x.db").returncode, 1)

    def bytes_of_files(self):
        out = b""
        for suffix in ("", "-wal", "-lock"):
            if os.path.exists(self.file + suffix):
                with open(self.file + suffix, "rb") as file:
                    out += file.read()
        return out

    def test_redact_leaves_no_byte_while_the_server_runs(self):
        running = self.serve("--no-worker")

        def place(order, user, secret):
            body = {"order_id": order, "user_id": user, "item_ids": [1], "total_amount": "1.00",
                    "metadata": {"name": secret}}
            self.assertEqual(running.ask("POST", "/orders", body)[0], 201)

        place("A-1", 7, "secret of A-1.")
        place("A-2", 7, "secret of A-2.")
        place("A-3", 7, "secret of A-3.")
        place("B-1", 8, "secret of B-1.")
        place("open", 9, "secret of open.")
        for order in ("A-1", "A-2", "A-3", "B-1"):
            self.assertEqual(running.ask("POST", f"/orders/{order}/cancel")[0], 200)
        self.assertEqual(running.ask("DELETE", "/orders/A-2")[0], 204)
        ended = run("redact", "--storage", self.storage, "A-1")
        self.assertEqual((ended.returncode, ended.stdout),
                         (0, "redacted: 1 order; 0 had nothing left to be taken out\n"), ended)
        ended = run("redact", "--storage", self.storage, "--user", "7")
        self.assertEqual((ended.returncode, ended.stdout),
                         (0, "redacted: 2 orders; 1 had nothing left to be taken out\n"), ended)
        left = self.bytes_of_files()
        for order in ("A-1", "A-2", "A-3"):
            self.assertNotIn(f"secret of {order}.".encode(), left)
        self.assertIn(b"secret of B-1.", left)
        self.assertEqual(running.ask("GET", "/orders/A-3")[1]["metadata"], {})
        for asked in (["open"], ["--user", "9"], ["none"]):
            with self.subTest(asked):
                ended = run("redact", "--storage", self.storage, *asked)
                self.assertEqual(ended.returncode, 1, ended)
                self.assertTrue(ended.stderr)
        running.stop()
        ended = run("verify", "--storage", self.storage)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

    def test_redact_says_that_the_log_is_read(self):
        running = self.serve("--no-worker")
        body = {"order_id": "A", "user_id": 7, "item_ids": [1], "total_amount": "1.00"}
        self.assertEqual(running.ask("POST", "/orders", body)[0], 201)
        self.assertEqual(running.ask("POST", "/orders/A/cancel")[0], 200)
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM orders").fetchone()
            ended = run("redact", "--storage", self.storage, "A")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("redacted: 1 order;", ended.stdout)
        self.assertIn("still in the log", ended.stderr)

    def test_redact_needs_orders_or_one_user(self):
        self.serve("--no-worker").stop()
        for asked in ([], ["A", "--user", "7"]):
            self.refused(2, "redact", "--storage", self.storage, *asked)
        self.refused(1, "redact", "--storage", "memory:", "A")

    def test_a_newer_file_is_refused_and_left_alone(self):
        self.serve("--no-worker").stop()
        with sqlite3.connect(self.file) as db:
            db.execute("PRAGMA user_version=99")
        db.close()
        for command in (["serve", *self.loopback("serve")], ["work"], ["verify"], ["migrate"],
                        ["migrate", "--dry-run"]):
            with self.subTest(command):
                ended = run(*command, "--storage", self.storage)
                self.assertEqual(ended.returncode, 1)
                self.assertIn("version 99 is newer", ended.stderr)
                self.assertIn("update orderproc", ended.stderr)
        with sqlite3.connect(self.file) as db:
            self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (99,))
        db.close()

    def test_verify_names_a_cursor_that_is_nowhere(self):
        running = self.serve("--no-worker")
        running.ask("POST", "/orders", ORDER)
        running.stop()
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)
        with sqlite3.connect(self.file) as db:
            db.execute("INSERT INTO cursors(name, owner, epoch, position, expires_at) "
                       "SELECT 'relay', 'w', epoch, 2, 0 FROM totals")
        db.close()
        ended = run("verify", "--storage", self.storage)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("cursor relay stands at", ended.stdout)

    def test_items_are_checked_against_a_file(self):
        file = f"{self.folder.name}/items"
        with open(file, "w", encoding="utf-8") as out:
            out.write("1001 1002 # no 1003")
        running = self.serve("--no-worker", "--items", f"file:{file}")
        status, problem = running.ask("POST", "/orders", ORDER)
        self.assertEqual(status, 422)
        self.assertEqual([(it["pointer"], it["code"]) for it in problem["errors"]],
                         [("#/item_ids/2", "unknown_item")])
        with open(file + ".new", "w", encoding="utf-8") as out:
            out.write("1001 1002 1003")
        os.rename(file + ".new", file)

        def known():
            status = running.ask("POST", "/orders", ORDER)[0]
            self.assertIn(status, (201, 503))  # never a verdict by the list before
            return status == 201
        wait_until(known, "the new list counts")
        for bad, code in (("file:/nonexistent", 1), ("nonsense", 2), ("ftp://h/", 2)):
            ended = run("serve", "--storage", self.storage, "--listen", "127.0.0.1:0", "--items", bad)
            self.assertEqual(ended.returncode, code, ended.stderr)

    def test_items_are_checked_by_another_server_and_work_is_done_by_it(self):
        class Shop(http.server.BaseHTTPRequestHandler):
            asked = []

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                Shop.asked.append((self.path, body, dict(self.headers)))
                answer = json.dumps({"unknown": [9]} if self.path == "/items" else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *ignored):
                pass

        shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        self.addCleanup(shop.server_close)
        self.addCleanup(shop.shutdown)
        url = f"http://127.0.0.1:{shop.server_port}"
        running = self.serve("--items", url + "/items", "--processor", url + "/work")
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")
        self.assertEqual(running.ask("POST", "/orders", dict(ORDER, order_id="B", item_ids=[9]))[0],
                         422)
        work = [it for it in Shop.asked if it[0] == "/work"]
        self.assertEqual(len(work), 1)
        self.assertEqual(work[0][1]["order_id"], "ORD-A8F64D2E")
        self.assertEqual(work[0][2]["Idempotency-Key"], "ORD-A8F64D2E/PROCESSING")

    def test_a_program_does_the_work(self):
        script = f"{self.folder.name}/work"
        with open(script, "w", encoding="utf-8") as out:
            out.write('#!/bin/sh\ngrep -q \'"user_id":123\' || { echo wrong >&2; exit 1; }\n'
                      'test "$ORDERPROC_ORDER_ID" = BAD && { echo no stock >&2; exit 1; }\nexit 0\n')
        os.chmod(script, 0o755)
        running = self.serve("--processor", f"exec:{script}")
        for name in ("GOOD", "BAD"):
            running.ask("POST", "/orders", dict(ORDER, order_id=name))
        running.wait_for("GOOD", "COMPLETED")
        failed = running.wait_for("BAD", "FAILED")
        self.assertEqual(failed["last_error"], "exit code 1: no stock")
        for bad in ("exec:", "simulate:2s,fail=7", "http://"):
            ended = run("serve", "--storage", self.storage, "--listen", "127.0.0.1:0",
                        "--processor", bad)
            self.assertEqual(ended.returncode, 2, bad)

    def test_log_lines_are_json_and_say_what_went_wrong(self):
        running = self.serve("--log", "json", "--log-level", "debug", "--processor",
                             "exec:false", "--admin-listen", "127.0.0.1:0")
        running.ask("POST", "/orders", ORDER)
        running.ask("GET", "/orders/none%0a%1b[31m?x=%00")
        running.wait_for("ORD-A8F64D2E", "FAILED")
        code, text = running.stop()
        self.assertEqual(code, 0)
        lines = [json.loads(it) for it in text.splitlines()]
        by_event = {it["event"]: it for it in lines}
        self.assertEqual(by_event["order_failed"]["order_id"], "ORD-A8F64D2E")
        self.assertEqual(by_event["order_failed"]["reason"], "exit code 1")
        self.assertTrue(any(it["event"] == "request" and it["route"] == "/orders" and
                            it["status"] == 201 and it["method"] == "POST" for it in lines), lines)
        self.assertIn("admin_listens", by_event)

    def test_the_description_has_the_limits_that_were_set(self):
        running = self.serve("--no-worker", "--body-size", "1000")
        self.assertIn("and 1000 bytes of body", running.ask("GET", "/openapi.json")[1]["info"]["description"])

    def test_readyz_turns_before_anything_is_refused(self):
        running = self.serve("--no-worker", "--shutdown-delay", "1h")
        self.assertEqual(running.ask("GET", "/readyz")[0], 200)
        running.child.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + DEADLINE_S
        while running.ask("GET", "/readyz")[0] == 200 and time.monotonic() < give_up:
            threading.Event().wait(0.02)
        status, answer = running.ask("GET", "/readyz")
        self.assertEqual((status, answer["reasons"]), (503, ["shutting down"]))
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        running.child.send_signal(signal.SIGTERM)  # a second one ends it at once
        self.assertNotEqual(running.child.wait(DEADLINE_S), 0)

    def test_a_worker_shows_metrics_and_health(self):
        work = self.start("work", "--storage", self.storage, "--processor", "simulate:0", "--log",
                          "json", "--admin-listen", "127.0.0.1:0")
        port = json.loads(work.child.stderr.readline())["port"]
        running = self.serve("--no-worker")
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")

        def ask(path, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=DEADLINE_S)
            with contextlib.closing(connection):
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

        self.assertEqual(ask("/readyz")[0], 200)
        self.assertEqual(ask("/orders")[0], 404)
        text = ask("/metrics", Accept="text/plain")[1]
        for wanted in ('orderproc_orders{status="COMPLETED"} 1',
                       'orderproc_attempts_total{outcome="advanced"} 1',
                       'orderproc_transitions_total{event="complete"} 1',
                       "orderproc_completion_seconds_count 1", 'orderproc_build_info{version="'):
            self.assertIn(wanted, text)

    @staticmethod
    def loopback(command):
        return ("--listen", "127.0.0.1:0") if command == "serve" else ()

    def test_a_worker_process_hears_of_another_process_commits(self):
        works = [self.start("work", "--storage", self.storage, "--processor", "simulate:0",
                            "--poll-interval", "1h") for _ in range(2)]
        running = self.serve("--no-worker")
        for i in range(5):  # each after the last one's end: the worker sleeps in between
            running.ask("POST", "/orders", dict(ORDER, order_id=f"W-{i}"))
            running.wait_for(f"W-{i}", "COMPLETED")
        for it in works:
            self.assertEqual(it.stop()[0], 0)

    def test_bench_measures_and_its_orders_are_real(self):
        running = self.serve("--processor", "simulate:0")
        ended = run("bench", "post", "get", "list", "noop", "e2e", "--address",
                    f"127.0.0.1:{running.port}", "--requests", "200", "--orders", "200",
                    "--pid", str(running.child.pid))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for name in ("post", "get", "list", "noop", "to COMPLETED"):
            self.assertIn(name, ended.stdout)
        self.assertEqual(running.ask("GET", "/metrics")[1]["total_orders_processed"], 400)

    def test_bench_posts_the_orders_of_a_file(self):
        running = self.serve("--no-worker")
        file = f"{self.folder.name}/order.json"
        with open(file, "w", encoding="ascii") as to:
            text = json.dumps(dict(ORDER, order_id="{id}", user_id="{user}",
                                   metadata={"for": "{id}"}))
            to.write(text.replace('"{user}"', "{user}"))
        bench = ("bench", "post", "--address", f"127.0.0.1:{running.port}", "--requests", "10")
        ended = run(*bench, "--order-file", file)
        self.assertEqual(ended.returncode, 0, ended)
        made = running.ask("GET", "/orders")[1]["items"]
        for it in made:
            self.assertEqual(it["metadata"], {"for": it["order_id"]})
        self.assertEqual(sorted(it["user_id"] for it in made), list(range(1, 11)))
        self.refused(2, *bench, "--order-file", "/nowhere")


if __name__ == "__main__":
    main()
