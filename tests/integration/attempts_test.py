#!/usr/bin/env python3
"""Work that takes hours: an endpoint accepts it with 202, and somebody answers later.

usage: attempts_test.py ORDERPROC_BINARY
"""

import http.server
import json
import queue
import signal
import threading

from binary_support import DEADLINE_S, ORDER, WithStorage, main, run, wait_until


class Endpoint:
    """Accepts work, and tells the test of it before it answers."""

    def __init__(self, test, accepts=True):
        received = self.received = queue.Queue()
        answers = self.answers = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((json.loads(body), self.headers["Orderproc-Attempt"],
                              self.headers["Idempotency-Key"]))
                if not accepts:
                    answers.get()  # never, unless the test says so
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)
        test.addCleanup(lambda: [answers.put(None) for _ in range(100)])

    @property
    def processor(self):
        return ("--processor", f"http://127.0.0.1:{self.server.server_port}/ship")

    def take(self):
        return self.received.get(timeout=DEADLINE_S)


class Attempts(WithStorage):
    def answer(self, server, order, token, **said):
        return server.ask("POST", f"/orders/{order}/attempts/{token}", said)

    def history(self, server, order):
        return [it["event"] for it in server.ask("GET", f"/orders/{order}/history")[1]["items"]]

    def handed_over(self, worker):
        """Waits until the worker holds the order no more."""
        while True:
            line = worker.read_line_of_log()
            self.assertTrue(line, "the worker ended")
            if '"outcome":"handed_over"' in line:
                return json.loads(line)

    def worker(self, endpoint, *more):
        return self.work(*endpoint.processor, "--log", "json", "--log-level", "debug", *more)

    def test_the_answer_counts_although_the_worker_was_killed(self):
        endpoint = Endpoint(self)
        server = self.serve("--no-worker")
        worker = self.worker(endpoint)
        server.ask("POST", "/orders", dict(ORDER, order_id="A"))
        order, token, key = endpoint.take()
        self.assertEqual((order["order_id"], key), ("A", "A/PROCESSING"))
        self.assertEqual(self.handed_over(worker)["order_id"], "A")
        worker.kill()
        self.assertEqual(worker.child.returncode, -signal.SIGKILL)
        self.worker(endpoint)  # has nothing to take back
        other = self.serve("--no-worker")  # any process takes the answer
        status, longer = self.answer(other, "A", token, extend={"timeout_seconds": 7200})
        self.assertEqual((status, longer["status"]), (200, "PROCESSING"))
        status, done = self.answer(server, "A", token, advance={})
        self.assertEqual((status, done["status"]), (200, "COMPLETED"))
        for said in ({"advance": {}}, {"fail": {"reason": "x"}}, {"extend": {"timeout_seconds": 9}}):
            status, problem = self.answer(other, "A", token, **said)
            self.assertEqual((status, problem["code"]), (409, "attempt_over"))
        self.assertEqual(self.history(server, "A"), ["create", "start", "complete"])
        self.assertTrue(endpoint.received.empty())
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)

    def test_a_worker_that_dies_before_the_hand_over_leaves_no_answer_behind(self):
        silent, endpoint = Endpoint(self, accepts=False), Endpoint(self)
        server = self.serve("--no-worker")
        lost = self.worker(silent, "--lease", "1s")
        server.ask("POST", "/orders", dict(ORDER, order_id="A"))
        _, stale, key = silent.take()
        lost.kill()
        self.worker(endpoint, "--lease", "1s")
        _, token, again = endpoint.take()  # once the lease has ended
        self.assertNotEqual(token, stale)
        self.assertEqual(again, key)
        status, problem = self.answer(server, "A", stale, advance={})
        self.assertEqual((status, problem["code"]), (409, "attempt_over"))
        self.assertEqual(self.answer(server, "A", token, advance={})[0], 200)
        self.assertEqual(self.history(server, "A"),
                         ["create", "start", "release", "start", "complete"])
        self.assertEqual(self.answer(server, "NONE", token, advance={})[0], 404)

    def test_what_nobody_answers_is_tried_again(self):
        endpoint = Endpoint(self)
        server = self.serve(*endpoint.processor, "--async-timeout", "300ms", "--attempts", "2")
        server.ask("POST", "/orders", dict(ORDER, order_id="A"))
        tokens = [endpoint.take()[1] for _ in range(2)]
        failed = server.wait_for("A", "FAILED")
        self.assertEqual(failed["attempts"], 2)
        self.assertEqual(failed["last_error"], "nobody answered in time on attempt 2 of 2")
        for token in tokens:
            self.assertEqual(self.answer(server, "A", token, advance={})[0], 409)

    def test_an_answer_may_be_quicker_than_the_202(self):
        endpoint = Endpoint(self, accepts=False)
        server = self.serve(*endpoint.processor, "--log", "json")
        server.ask("POST", "/orders", dict(ORDER, order_id="A"))
        _, token, _ = endpoint.take()
        self.assertEqual(self.answer(server, "A", token, advance={})[0], 200)
        endpoint.answers.put(None)
        wait_until(lambda: "lease_lost" in server.read_line_of_log(), "the worker hears of it")
        self.assertEqual(self.history(server, "A"), ["create", "start", "complete"])

    def test_a_refusal_and_a_delay(self):
        endpoint = Endpoint(self)
        server = self.serve(*endpoint.processor)
        server.ask("POST", "/orders", dict(ORDER, order_id="A"))
        _, token, _ = endpoint.take()
        status, waits = self.answer(server, "A", token,
                                    retry={"delay_seconds": 0, "reason": "no van"})
        self.assertEqual((status, waits["last_error"]), (200, "no van"))
        _, token, _ = endpoint.take()
        status, failed = self.answer(server, "A", token, fail={"reason": "lost at sea"})
        self.assertEqual((status, failed["status"], failed["last_error"]),
                         (200, "FAILED", "lost at sea"))
        history = server.ask("GET", "/orders/A/history")[1]["items"]
        self.assertEqual(history[-1]["reason"], "lost at sea")


if __name__ == "__main__":
    main()
