#!/usr/bin/env python3
"""`orderproc order …` against the real server: what it prints, for people and programs, and how
it exits.

usage: order_cli_test.py ORDERPROC_BINARY
"""

import http.server
import json
import os
import pty
import re
import signal
import subprocess
import threading

from binary_support import BINARY, DEADLINE_S, WithStorage, main, run

A_USER = ["--user", "123", "--item", "1001x2", "--item", "7", "--amount", "149.90"]


class OrderCommand(WithStorage):
    server = None  # ours, unless a test brings another one

    def order(self, *arguments, code=0, **others):
        if self.server:
            others["ORDERPROC_URL"] = self.server.url
        ended = run("order", *arguments, **others)
        self.assertEqual(ended.returncode, code, ended)
        return ended

    def order_json(self, *arguments, **others):
        return [json.loads(it) for it in
                self.order(*arguments, "--json", **others).stdout.splitlines()]

    def serve_orders(self, *arguments):
        self.server = self.serve(*arguments)

    def test_an_order_is_made_found_and_cancelled(self):
        self.serve_orders("--no-worker")
        made = self.order("create", "--id", "A", *A_USER, "--metadata", '{"gift":true}').stdout
        heading, row = made.splitlines()
        self.assertEqual(heading.split()[:5], ["ORDER", "STATUS", "USER", "TOTAL", "CURRENCY"])
        self.assertEqual(row.split()[:6], ["A", "PENDING", "123", "149.90", "USD", "3"])
        self.assertEqual(self.order("get", "A").stdout, made)
        [found] = self.order_json("get", "A")
        self.assertEqual((found["item_ids"], found["metadata"]), ([1001, 1001, 7], {"gift": True}))
        # Amounts are exact: as the server wrote them.
        self.assertIn('"total_amount":149.90,', self.order("get", "A", "--json").stdout)
        self.assertIn("CANCELLED", self.order("cancel", "A").stdout)
        self.assertEqual([it["event"] for it in self.order_json("history", "A")],
                         ["create", "cancel"])
        rows = [it.split()[1:5] for it in self.order("history", "A").stdout.splitlines()]
        self.assertEqual(rows, [["VERSION", "EVENT", "FROM", "TO"], ["1", "create", "-", "PENDING"],
                                ["2", "cancel", "PENDING", "CANCELLED"]])
        created = self.order_json("history", "A")[0]["at"]
        self.assertIn("PENDING", self.order("get", "A", "--at", created).stdout)

    def test_amounts_beyond_a_double_are_shown_exactly(self):
        self.serve_orders("--no-worker")
        for amount in ("90071992547409.91", "0.10", "149.90"):
            made = self.order("create", "--user", "1", "--item", "1", "--amount", amount,
                              "--metadata", '{"total_amount":1}').stdout
            self.assertIn(f" {amount} ", made)

    def test_refusals_exit_1_and_explain_all_of_it(self):
        self.serve_orders("--no-worker")
        self.assertIn("no such", self.order("get", "nobody", code=1).stderr)
        [problem] = self.order_json("get", "nobody", code=1)
        self.assertEqual(problem["code"], "not_found")
        ended = self.order("create", "--id", "no good", "--user", "1", "--item", "1", "--amount",
                           "1.999", code=1)
        self.assertIn("#/order_id", ended.stderr)
        self.assertIn("#/total_amount", ended.stderr)
        self.assertEqual(ended.stdout, "")
        self.order("create", "--id", "A", *A_USER)
        self.order("create", "--id", "A", *A_USER, code=1)
        self.order("cancel", "A", "--if-version", "7", code=1)
        self.order("cancel", "A", "--if-version", "1")
        self.order("cancel", "A")  # there already: nothing changes
        self.assertIn("allowed", self.order("retry", "A", code=1).stderr)
        self.assertIn("status", self.order("list", "--status", "NONE", code=1).stderr)

    def test_wrong_usage_exits_2_and_names_what_is_wrong(self):
        self.serve_orders("--no-worker")
        for word, arguments in (
                ("subcommand", []), ("order", ["get"]), ("--user", ["create"]),
                ("--item", ["create", "--user", "1", "--amount", "1"]),
                ("--user", ["create", "--user", "0", "--item", "1", "--amount", "1"]),
                ("1001x3", ["create", "--user", "1", "--item", "x", "--amount", "1"]),
                ("amount", ["create", "--user", "1", "--item", "1", "--amount", "1,2"]),
                ("JSON", ["create", "--user", "1", "--item", "1", "--amount", "1", "--metadata",
                          "[]"]),
                ("--file", ["create", "--file", "x", "--user", "1"]),
                ("order", ["retry"]), ("--all-failed", ["retry", "A", "--all-failed"]),
                ("soon", ["watch", "A", "--timeout", "soon"]),
                ("http://", ["list", "--url", "https://127.0.0.1"]),
                ("query", ["list", "--url", "http://127.0.0.1/?a=b"]),
                ("password", ["list", "--url", "http://user:SECRET@127.0.0.1"]),
                ("Idempotency-Key", ["create", *A_USER, "--idempotency-key", "SECRET\r\nX: y"])):
            with self.subTest(arguments):
                ended = self.order(*arguments, code=2)
                self.assertIn(word, ended.stderr)
                self.assertNotIn("SECRET", ended.stderr)
        self.assertEqual(self.order_json("list"), [])  # and nothing was made

    def test_a_server_that_does_not_run_is_said_so(self):
        self.serve_orders("--no-worker")
        self.server.stop()
        ended = self.order("list", code=1)
        self.assertIn("orderproc serve", ended.stderr)
        self.assertIn("--url", ended.stderr)

    def test_a_list_is_whole_whatever_its_pages(self):
        self.serve_orders("--no-worker")
        lines = "\n".join(json.dumps({"order_id": f"N-{i:04}", "user_id": 1 + i % 2,
                                      "item_ids": [1], "total_amount": 1}) for i in range(250))
        self.order("create", "--file", "-", stdin=lines)
        self.order("cancel", "N-0003")
        ids = [it["order_id"] for it in self.order_json("list", "--limit", "0", "--oldest-first")]
        self.assertEqual(ids, [f"N-{i:04}" for i in range(250)])
        self.assertEqual(len(self.order_json("list")), 20)
        self.assertEqual(len(self.order_json("list", "--limit", "130")), 130)
        self.assertEqual(len(self.order("list", "--limit", "0").stdout.splitlines()), 251)
        self.assertEqual(len(self.order_json("list", "--user", "2", "--limit", "0")), 125)
        self.assertEqual([it["order_id"] for it in self.order_json("list", "--status", "CANCELLED")],
                         ["N-0003"])
        self.assertEqual(self.order_json("list", "--from", "2100-01-01T00:00:00Z"), [])
        self.assertEqual(self.order_json("list", "--until", "2000-01-01T00:00:00Z"), [])

    def test_a_file_of_orders_in_each_of_its_forms(self):
        self.serve_orders("--no-worker")
        one = {"user_id": 1, "item_ids": [1], "total_amount": 1.5}
        file = f"{self.folder.name}/orders"
        for number, text in enumerate((json.dumps(one, indent=2), json.dumps([one, one], indent=2),
                                       f"{json.dumps(one)}\r\n\n{json.dumps(one)}\n")):
            with open(file, "w", encoding="utf-8") as out:
                out.write(text)
            done = self.order("create", "--file", file).stdout
            self.assertEqual(done, f"{1 if number == 0 else 2} created, 0 refused\n")
        bad = [one, dict(one, user_id=0), dict(one, order_id="X"), dict(one, order_id="X")]
        ended = self.order("create", "--file", "-", stdin=json.dumps(bad), code=1)
        self.assertEqual(ended.stdout, "2 created, 2 refused\n")
        self.assertIn("order 2 of -: ", ended.stderr)
        self.assertIn("#/user_id", ended.stderr)
        self.assertIn("order 4 of -: ", ended.stderr)
        statuses = [it["status"] for it in self.order_json(
            "create", "--file", "-", stdin="nonsense\n" + json.dumps(one), code=1)]
        self.assertEqual(statuses, [400, 201])
        for nothing in ("", "[]", "[1,"):
            self.order("create", "--file", "-", stdin=nothing, code=1)
        self.order("create", "--file", "/nonexistent", code=1)

    def test_the_same_key_makes_the_same_orders_once(self):
        self.serve_orders("--no-worker")
        first = self.order("create", *A_USER, "--idempotency-key", "K").stdout
        self.assertEqual(self.order("create", *A_USER, "--idempotency-key", "K").stdout, first)
        lines = json.dumps({"user_id": 1, "item_ids": [1], "total_amount": 1}) + "\n"
        for _ in range(2):
            self.order("create", "--file", "-", "--idempotency-key", "L", stdin=lines * 1500)
        self.assertEqual(len(self.order_json("list", "--limit", "0")), 1501)

    def test_failed_orders_are_retried_one_or_all(self):
        self.serve_orders("--processor", "simulate:0")
        fail = '{"simulate":{"outcome":"fail"}}'
        for name in ("F-1", "F-2", "F-3"):
            self.order("create", "--id", name, *A_USER, "--metadata", fail)
            self.assertEqual(self.order("watch", name, code=1).stdout.splitlines()[-1].split()[1:],
                             ["fail", "PROCESSING", "→", "FAILED", "simulated", "failure"])
        self.server.stop()
        self.serve_orders("--no-worker")
        self.assertIn("PENDING", self.order("retry", "F-1").stdout)
        self.assertEqual(self.order("retry", "--all-failed").stdout,
                         "2 orders retried, 0 refused\n")
        self.assertEqual(len(self.order_json("list", "--status", "PENDING")), 3)

    def watch(self, *arguments, url=None):
        """A watch under way; its first change."""
        child = subprocess.Popen([BINARY, "order", "watch", *arguments, "--json", "--url",
                                  url or self.server.url], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)

        def end():
            with child:  # reaps it and closes the pipes
                child.kill()

        self.addCleanup(end)
        return child, json.loads(child.stdout.readline())

    def test_watch_follows_an_order_until_it_is_completed(self):
        self.serve_orders("--no-worker")
        self.order("create", "--id", "A", *A_USER)
        self.assertIn("not settled", self.order("watch", "A", "--timeout", "1ms", code=1).stderr)
        watch, first = self.watch("A")
        self.work("--processor", "simulate:0")
        out, err = watch.communicate(timeout=DEADLINE_S)
        changes = [it["data"] for it in [first, *map(json.loads, out.splitlines())]]
        self.assertEqual([it["event"] for it in changes], ["create", "start", "complete"])
        self.assertIn('"total_amount":149.90,', out)  # as the server wrote it
        self.assertEqual((watch.returncode, err), (0, ""))

    def test_watch_shows_an_order_that_is_settled_already(self):
        self.serve_orders("--no-worker")
        self.order("create", "--id", "A", *A_USER)
        self.order("cancel", "A")
        rows = [it.split()[1:] for it in self.order("watch", "A", code=1).stdout.splitlines()]
        self.assertEqual(rows, [["create", "-", "→", "PENDING"],
                                ["cancel", "PENDING", "→", "CANCELLED"]])

    def test_watch_explains_why_there_is_nothing_to_watch(self):
        self.serve_orders("--no-worker")
        self.assertIn("no such", self.order("watch", "nobody", code=1).stderr)
        [problem] = self.order_json("watch", "nobody", code=1)
        self.assertEqual(problem["code"], "not_found")
        self.server.stop()
        ended = self.order("watch", "A", code=1)
        self.assertIn("orderproc serve", ended.stderr)
        self.assertEqual(ended.stdout, "")

    def test_watch_outlives_the_server_without_gap_or_repeat(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how):
                self.serve_orders("--no-worker")
                self.order("create", "--id", how.name, *A_USER)
                watch, first = self.watch(how.name)
                port = self.server.port
                self.server.stop(how)
                self.assertIn("trying again", watch.stderr.readline())
                worker = self.work("--processor", "simulate:0")  # nobody tells of what it does
                self.server = self.start("serve", "--no-worker", "--storage", self.storage,
                                         "--listen", f"127.0.0.1:{port}")
                self.server.wait_for(how.name, "COMPLETED")
                out, err = watch.communicate(timeout=DEADLINE_S)
                worker.stop()
                changes = [it["data"] for it in [first, *map(json.loads, out.splitlines())]]
                self.assertEqual([(it["version"], it["event"]) for it in changes],
                                 [(1, "create"), (2, "start"), (3, "complete")])
                self.assertEqual((watch.returncode, err), (0, ""))

    def test_watch_goes_on_behind_what_it_has_seen(self):
        def change(at, event, to):
            data = json.dumps({"data": {"event": event, "from": None, "to": to, "version": at}})
            return f"id: 1-{at}\ndata: {data}\n\n"

        # What a server, and what is between, may answer one after the other.
        answers = [(200, "retry: 1\n\n" + change(1, "create", "PENDING") + "id: 1-2\ndata: {"),
                   (503, ""),
                   (200, ": nothing new yet\n\n"),
                   (200, change(2, "fail", "FAILED") + change(3, "retry", "PENDING")),
                   (502, ""),
                   (200, 'event: reset\nid: 2-0\ndata: {"position":"2-0"}\n\n'
                    + change(4, "complete", "COMPLETED") + "id: 1-5\n"),  # cut off
                   (204, "")]
        asked = []

        class Shop(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.endswith("/model"):
                    self.send_error(404)
                    return
                asked.append(self.headers["Last-Event-ID"])
                status, text = answers[len(asked) - 1]
                self.send_response(status)
                if status == 200:
                    self.send_header("Content-Type", "text/event-stream")
                    if text.endswith("1-5\n"):
                        self.send_header("Content-Length", str(len(text) + 1))
                elif status == 503:
                    self.send_header("Retry-After", "0")
                if status not in (200, 204):
                    self.send_header("Content-Length", "0")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *ignored):
                pass

        watch, first = self.watch("A", url=self.stand_in(Shop))
        out, err = watch.communicate(timeout=DEADLINE_S)
        changes = [it["data"]["event"] for it in [first, *map(json.loads, out.splitlines())]]
        self.assertEqual(changes, ["create", "fail", "retry", "complete"])
        self.assertEqual(asked, [None, "1-1", "1-1", "1-1", "1-3", "1-3", "1-4"])
        self.assertEqual(watch.returncode, 0)
        self.assertEqual(err.count("trying again"), 4)  # once for each that broke
        self.assertEqual(err.count("another journal"), 1)

    def stand_in(self, handler):
        """The URL of a server that is not ours."""
        shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        self.addCleanup(shop.server_close)
        self.addCleanup(shop.shutdown)
        return f"http://127.0.0.1:{shop.server_port}"

    def test_what_is_long_shows_progress_only_on_a_terminal(self):
        self.serve_orders("--no-worker")
        lines = json.dumps({"user_id": 1, "item_ids": [1], "total_amount": 1}) + "\n"
        self.assertEqual(self.order("create", "--file", "-", stdin=lines * 1500).stderr, "")
        terminal, end = pty.openpty()
        said = b""
        try:
            with subprocess.Popen([BINARY, "order", "create", "--file", "-", "--url",
                                   self.server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=end, text=True) as child:
                os.close(end)
                out, _ = child.communicate(lines * 1500, timeout=DEADLINE_S)
            try:
                while part := os.read(terminal, 4096):
                    said += part
            except OSError:  # as Linux says the end of a terminal
                pass
        finally:
            os.close(terminal)
        self.assertEqual(out, "1500 created, 0 refused\n")
        self.assertIn(b"\r1000 of 1500", said)
        self.assertTrue(said.endswith(b"\r"), said)

    def says(self, *answers, status=200, **fields):
        """The URL of a server that gives these answers one after the other, the last for ever, and
        what it was asked."""
        asked = []

        class Shop(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.path.endswith("/model"):
                    self.send_error(404)
                    return
                asked.append(self.path)
                body = answers[min(len(asked), len(answers)) - 1].encode("utf-8", "surrogateescape")
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *ignored):
                pass

        return self.stand_in(Shop), asked

    def assert_harmless(self, shown):
        obeyed = re.compile("[\0-\t\v-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
        self.assertIsNone(obeyed.search(shown), ascii(shown))

    def test_text_of_servers_does_not_command_the_terminal(self):
        # Ours would not let it in, but another one might. As JSON escapes it, and as it is.
        evil = "A\x1b[31m\u009b2J\u202e\u200e\u2028\x7f\udc9b"
        for text in (evil, json.dumps(evil[:-1])[1:-1]):
            order = f'{{"order_id":"{text}","item_ids":[1],"status":"X\\u0007"}}'
            page, _ = self.says(f'{{"items":[\n{order}],"next_cursor":null}}')
            one, _ = self.says(order)
            problem, _ = self.says(f'{{"title":"{text}","detail":"{text}","allowed_events":["{text}"],'
                                   f'"allowed_values":["{text}"],"errors":[{{"detail":"{text}"}}]}}',
                                   status=409)
            shown = self.order("list", "--url", page).stdout
            self.assertIn("A\\x1b[31m\\x9b2J\\u202e\\u200e\\u2028\\x7f", shown)
            self.assertIn("X\\x07", shown)
            for arguments, url, code in ((["list"], page, 0), (["get", "A"], one, 0),
                                         (["get", "A"], problem, 1), (["cancel", "A"], problem, 1),
                                         (["history", "A"], page, 0), (["watch", "A"], problem, 1)):
                for how in ([], ["--json"]):
                    with self.subTest(arguments + how):
                        ended = self.order(*arguments, *how, "--url", url, code=code)
                        self.assert_harmless(ended.stdout + ended.stderr)
                        if how:
                            [found] = map(json.loads, ended.stdout.splitlines())
                            name = "order_id" if code == 0 else "title"
                            self.assertEqual(found[name][:20].rstrip("\ufffd"), evil[:-1])

    def test_a_list_that_leads_nowhere_ends(self):
        def page(cursor, *orders):
            return json.dumps({"items": [{"order_id": it} for it in orders], "next_cursor": cursor})

        for answers in ([page("a", "1")], [page("a", "1"), page("b", "2"), page("a", "3")],
                        [page("a", "1"), page("b")]):
            url, asked = self.says(*answers)
            for limit in ("0", "1000"):
                del asked[:]
                ended = self.order("list", "--limit", limit, "--json", "--url", url, code=1)
                self.assertIn("no end", ended.stderr)
                self.assertLessEqual(len(asked), 4)
        url, asked = self.says(page("a", *map(str, range(500))))
        self.assertEqual(len(self.order("list", "--json", "--url", url).stdout.splitlines()), 20)
        for other in ("{}", "<html>", '{"items":1}'):
            url, _ = self.says(other)
            self.assertIn("page of orders", self.order("list", "--url", url, code=1).stderr)

    def test_a_list_goes_on_behind_an_empty_page(self):
        def page(cursor, *orders):
            return json.dumps({"items": [{"order_id": it} for it in orders], "next_cursor": cursor})

        url, _ = self.says(page("a"), page("b", "1"), page("c"), page(None, "2"))
        ended = self.order("list", "--limit", "0", "--json", "--url", url)
        self.assertEqual([json.loads(it)["order_id"] for it in ended.stdout.splitlines()],
                         ["1", "2"])

    def test_a_history_that_does_not_go_on_ends(self):
        same = json.dumps({"items": [{"version": 1, "event": "create"}] * 1000})
        url, asked = self.says(same)
        self.assertIn("does not go on", self.order("history", "A", "--url", url, code=1).stderr)
        self.assertEqual(len(asked), 2)

    def test_orders_that_the_server_does_not_answer_for_are_no_success(self):
        url, _ = self.says('{"items":[{"status":201,"order":{}}]}')
        ended = self.order("create", "--file", "-", "--url", url, stdin="{}\n{}\n", code=1)
        self.assertIn("1 of 2 orders", ended.stderr)

    def test_a_server_that_asks_for_a_long_wait_is_not_asked_before(self):
        url, asked = self.says("", status=503, Retry_After="3600")
        ended = self.order("list", "--url", url, code=1)
        self.assertIn("try again in 3600 s", ended.stderr)
        self.assertEqual(len(asked), 1)

    def test_numbers_beyond_a_double_are_shown(self):
        order = ('{"metadata":{"a":1e400},"order_id":"A","status":"PENDING","total_amount":1e400,'
                 '"item_ids":[1]}')
        url, _ = self.says(order)
        self.assertEqual(self.order("get", "A", "--json", "--url", url).stdout, order + "\n")
        self.assertIn("1e400", self.order("get", "A", "--url", url).stdout)

    def test_an_overloaded_server_is_asked_again_and_a_prefix_is_kept(self):
        class Busy(http.server.BaseHTTPRequestHandler):
            asked = []

            def do_GET(self):  # of the model
                self.send_error(404)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                Busy.asked.append((self.path, self.headers["Idempotency-Key"]))
                busy = len(Busy.asked) == 1
                self.send_response(503 if busy else 201)
                if busy:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *ignored):
                pass

        ended = run("order", "create", *A_USER, "--url", self.stand_in(Busy) + "/shop/")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual([it[0] for it in Busy.asked], ["/shop/orders"] * 2)
        self.assertEqual(len({it[1] for it in Busy.asked}), 1)  # the same key, so one order


if __name__ == "__main__":
    main()
