#!/usr/bin/env python3
"""Hostile and malformed input over raw sockets: each row of attack_rows.py gets the answer that it
should, and after all of them the server answers, no order was made or changed, and its memory is
level.

usage: attacks_test.py ORDERPROC_BINARY [unittest arguments]
"""

import contextlib
import json
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import attack_rows
from attack_rows import HELD, HOST, JSON, get, order, post

BINARY = os.path.abspath(sys.argv.pop(1))
DEADLINE_S = 60  # only a failing test waits for it
ROUNDS = 3
READ_FILES = 6  # of connections to the storage that are kept once many have read at the same time
ROUNDS_GROW_KIB_MAX = 8 * 1024  # what a leak of 10 KiB a row would exceed


class Server:
    def __init__(self, test, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="orderproc-attacks-")
        # Freed memory that a sanitizer holds back would look like a leak.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.log = open(f"{self.folder.name}/log", "wb+")
        self.child = subprocess.Popen(
            [BINARY, "serve", "--no-worker", "--listen", "127.0.0.1:0", "--log-level", "debug",
             "--storage", f"sqlite:{self.folder.name}/orders.db", *options],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=dict(os.environ, ASAN_OPTIONS=sanitizer))
        test.addCleanup(self.kill)
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(self.log_text())
        self.port = int(line.strip().rsplit(":", 1)[1])

    def kill(self):
        with self.child:
            self.child.kill()
        self.log.close()
        self.folder.cleanup()

    def log_text(self):
        self.log.seek(0)
        return self.log.read()

    def memory_kib(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def files(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def ask(self, data):
        with Client(self) as it:
            it.send(data)
            return it.read()

    def state(self):
        """What a change of any order would change."""
        page = self.ask(get(b"/orders?limit=100"))
        return page.fields["feed-position"], json.loads(page.body)["items"]


class Answer:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            self.fields[name.lower()] = value
        self.body = body

    def code(self):
        return json.loads(self.body)["code"] if self.body else None


class Client:
    def __init__(self, server, source="127.0.0.1"):
        self.socket = socket.socket()
        self.socket.settimeout(DEADLINE_S)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", server.port))
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        # What was said before the server had enough can be read.
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.sendall(data)

    def receive(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.held += more
        return bool(more)

    def read(self):
        """The next answer that is not 100 Continue; None if the connection ends before it."""
        while b"\r\n\r\n" not in self.held:
            if not self.receive():
                return None
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        if head.startswith(b"HTTP/1.1 100 "):
            return self.read()
        answer = Answer(head, b"")
        size = int(answer.fields.get("content-length", 0))
        while len(self.held) < size and self.receive():
            pass
        answer.body, self.held = self.held[:size], self.held[size:]
        return answer

    def ended(self):
        """Waits for the server to end it; false if anything else comes."""
        return not self.held and not self.receive()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Attacks(unittest.TestCase):
    def judge(self, server, row):
        with Client(server) as client:
            client.send(row.data)
            statuses = row.status if isinstance(row.status, list) else [row.status]
            for status in statuses:
                answer = client.read()
                self.assertIsNotNone(answer, "no answer")
                self.assertEqual(answer.status, status, answer.body)
                self.assertNotIn("set-cookie", answer.fields)
                self.assertEqual(answer.fields["x-content-type-options"], "nosniff")
                self.assertRegex(answer.fields["x-request-id"], r"\A[A-Za-z0-9._-]{1,128}\Z")
                if answer.status >= 400:
                    self.assertEqual(answer.fields["content-type"], "application/problem+json")
                    problem = json.loads(answer.body)
                    self.assertEqual(problem["status"], status)
                    if row.code:
                        self.assertEqual(problem["code"], row.code)
            if row.ends:
                self.assertEqual(answer.fields.get("connection"), "close")
                self.assertTrue(client.ended(), "it did not end the connection")
            else:
                client.send(get(b"/healthz"))
                answer = client.read()
                self.assertIsNotNone(answer, "it ended the connection")
                self.assertEqual(answer.body, b'{"status":"ok"}')

    def test_rows(self):
        server = Server(self)
        made = server.ask(post(b"/orders", order(order_id=HELD), JSON))
        self.assertEqual(made.status, 201)
        before = server.state()
        self.assertEqual(len(before[1]), 1)
        rows = [row for group in attack_rows.ALL for row in group()]
        self.assertGreater(len(rows), 60)
        self.assertEqual(len({row.name for row in rows}), len(rows), "two rows of one name")
        memory = []
        for _ in range(ROUNDS):
            for row in rows:
                with self.subTest(row.name):
                    self.judge(server, row)
            memory.append(server.memory_kib())
        self.assertEqual(server.state(), before)
        self.assertIsNone(server.child.poll())
        self.assertLess(memory[-1] - memory[0], ROUNDS_GROW_KIB_MAX, memory)
        print(f"{len(rows)} rows, {ROUNDS} times; memory after each {memory} KiB")
        self.check_log(server.log_text())

    def check_log(self, log):
        """Client text cannot write lines of its own, nor to the terminal of who reads it."""
        self.assertGreater(log.count(b" request "), 100)
        for line in log.split(b"\n")[:-1]:
            self.assertRegex(line, rb"\A\d{4}-\d\d-\d\dT[0-9:.]+Z (debug|info|warning|error) ")
            text = line.decode("utf-8")
            self.assertFalse(re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text), line)

    def test_who_sends_byte_by_byte_gets_the_same(self):
        server = Server(self)
        before = server.state()
        for group in (attack_rows.framing, attack_rows.lines):
            for row in group():
                with self.subTest(row.name), Client(server) as client:
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for i in range(0, len(row.data), 7):
                        client.send(row.data[i:i + 7])
                    answer = client.read()
                    self.assertIsNotNone(answer)
                    self.assertEqual(answer.status, row.status)
                    self.assertTrue(client.ended())
        self.assertEqual(server.state(), before)

    def test_who_is_slow(self):
        server = Server(self, "--header-timeout", "2s", "--body-timeout", "2s", "--idle-timeout", "2s",
                        "--write-timeout", "2s")
        body = order()
        slow = [
            ("nothing", b"", None),
            ("one byte", b"G", 408),
            ("HTTP/0.9", b"GET /orders\r\n", 408),
            ("half a header", b"GET /orders HTTP/1.1\r\nHo", 408),
            ("no body", b"POST /orders HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 5\r\n\r\n", 408),
            ("half a body", post(b"/orders", body, JSON)[:-5], 408),
            ("half a chunk", attack_rows.START + attack_rows.CHUNKED + b"\r\n5\r\n{", 408),
            ("a chunk without an end", attack_rows.START + attack_rows.CHUNKED + b"\r\n" + attack_rows.IN_CHUNK, 408),
            ("a trailer without an end",
             attack_rows.START + attack_rows.CHUNKED + b"\r\n" + attack_rows.IN_CHUNK + b"0\r\nX: a\r\n", 408),
            ("a continuation that never comes", b"POST /orders HTTP/1.1\r\n" + HOST + JSON +
             b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 408),
        ]
        before = server.state()
        with contextlib.ExitStack() as stack:
            waiting = []
            for name, data, status in slow:
                client = stack.enter_context(Client(server))
                client.send(data)
                waiting.append((name, client, status))
            # One that keeps sending a little is not kept for longer.
            loris = stack.enter_context(Client(server))
            loris.send(b"GET /orders HTTP/1.1\r\n")
            while not wait_readable(loris, 0.05):
                loris.send(b"X: a\r\n")
            for name, client, status in waiting + [("a header in drops", loris, 408)]:
                with self.subTest(name):
                    answer = client.read()
                    self.assertEqual(answer.status if answer else None, status)
                    self.assertTrue(client.ended())
        self.assertEqual(server.state(), before)

    def test_who_does_not_read(self):
        server = Server(self, "--write-timeout", "1s")
        self.assertEqual(server.ask(get(b"/metrics")).status, 200)  # its files are open from now on
        held = server.files() + READ_FILES
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                client = stack.enter_context(Client(server))
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.socket.settimeout(0.2)
                with contextlib.suppress(TimeoutError):  # the server has stopped reading, too
                    for _ in range(500):
                        client.send(get(b"/metrics") * 100)
            self.wait_until(lambda: server.files() <= held, "it kept who does not read")
            self.assertEqual(server.ask(get(b"/healthz")).status, 200)

    def test_who_goes_away(self):
        server = Server(self)
        before = server.state()
        held = server.files() + READ_FILES
        for data in (b"", b"GET", attack_rows.START + b"Content-Length: 200000\r\n\r\n{",
                     get(b"/orders") * 1000, attack_rows.START + attack_rows.CHUNKED + b"\r\nff\r\n"):
            for _ in range(20):
                client = Client(server)
                client.send(data)
                client.reset()
        self.wait_until(lambda: server.files() <= held, "it kept who went")
        self.assertEqual(server.state(), before)

    def test_too_many_from_one_address(self):
        server = Server(self, "--connections", "60", "--connections-per-address", "20")
        with contextlib.ExitStack() as stack:
            def connect(source):
                client = stack.enter_context(Client(server, source))
                client.send(get(b"/healthz"))
                answer = client.read()
                return answer.status if answer else None

            got = [connect("127.0.0.2") for _ in range(30)]
            self.assertEqual(got[:20], [200] * 20)
            self.assertTrue(all(status in (503, None) for status in got[20:]), got)
            # They are no trouble to others, until all that there may be are there.
            got = [connect(f"127.0.0.{3 + i // 10}") for i in range(50)]
            self.assertEqual(got[:40], [200] * 40)
            self.assertTrue(all(status in (503, None) for status in got[40:]), got)
        self.wait_until(lambda: server.ask(get(b"/healthz")) is not None, "it does not come back")

    def test_out_of_descriptors(self):
        with open(BINARY, "rb") as file:
            if b"__ubsan_handle" in file.read():
                self.skipTest("to look at an object the sanitizer opens a pipe, and takes failure for a bad one")
        server = Server(self)
        limits = resource.prlimit(server.child.pid, resource.RLIMIT_NOFILE)
        with Client(server) as first:
            first.send(post(b"/orders", order(), JSON))  # its files are open from now on
            self.assertEqual(first.read().status, 201)
            first.send(get(b"/orders"))  # those that it reads by, too
            self.assertEqual(first.read().status, 200)
            resource.prlimit(server.child.pid, resource.RLIMIT_NOFILE, (server.files() + 5, limits[1]))
            crowd = [Client(server) for _ in range(20)]
            for client in crowd:
                client.send(get(b"/healthz"))
            served = [client for client in crowd if wait_readable(client, 0.3)]
            self.assertLess(len(served), 20)  # or nothing was exhausted
            # Who is there is served, and an order can be made.
            first.send(post(b"/orders", order(), JSON))
            self.assertEqual(first.read().status, 201)
            # When some go, those who wait are let in.
            for client in served + [client for client in crowd if client not in served]:
                answer = client.read()
                self.assertEqual(answer.status if answer else None, 200)
                client.socket.close()
        resource.prlimit(server.child.pid, resource.RLIMIT_NOFILE, limits)
        self.assertEqual(server.ask(get(b"/healthz")).status, 200)

    def test_rate_limit(self):
        server = Server(self, "--rate-limit", "0.001:3")  # none comes back while the test runs
        for left in (2, 1, 0):
            answer = server.ask(get(b"/orders"))
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.fields["ratelimit-policy"], '"default";q=3;w=3000')
            self.assertRegex(answer.fields["ratelimit"], rf'\A"default";r={left};t=\d+\Z')
        # Neither another connection, nor a claim to be somebody else, nor a POST is let through.
        for request in (get(b"/orders"), get(b"/orders", b"X-Forwarded-For: 192.0.2.1\r\n"),
                        post(b"/orders", order(), JSON)):
            with Client(server) as client:
                for _ in range(2):  # it may stay
                    client.send(request)
                    answer = client.read()
                    self.assertEqual((answer.status, answer.code()), (429, "rate_limited"))
                    self.assertGreater(int(answer.fields["retry-after"]), 50)
                    self.assertIsNone(answer.fields.get("connection"))
        # Before the body is read: who waits for 100 is told at once, and the connection ends.
        with Client(server) as client:
            client.send(attack_rows.START + b"Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(client.read().status, 429)
            self.assertTrue(client.ended())
        with Client(server, "127.0.0.9") as other:
            other.send(get(b"/orders"))
            self.assertEqual(other.read().status, 200)
        self.assertEqual(server.ask(get(b"/healthz")).status, 200)  # probes are never turned away
        self.assertNotIn("ratelimit", server.ask(get(b"/healthz")).fields)

    def test_rate_limit_behind_a_proxy(self):
        server = Server(self, "--rate-limit", "0.001:1", "--trusted-proxy", "127.0.0.0/8",
                        "--trusted-proxy", "10.0.0.0/8", "--insecure-no-auth")

        def ask(*forwarded):
            return server.ask(get(b"/orders", *(b"X-Forwarded-For: " + it + b"\r\n" for it in forwarded))).status

        self.assertEqual(ask(b"192.0.2.1"), 200)
        self.assertEqual(ask(b"192.0.2.1"), 429)
        self.assertEqual(ask(b"198.51.100.9, 192.0.2.1"), 429)  # what stands left of it is hearsay
        self.assertEqual(ask(b"198.51.100.9", b"192.0.2.1, 10.1.2.3"), 429)  # past a proxy of ours
        self.assertEqual(ask(b"192.0.2.2:5555"), 200)
        self.assertEqual(ask(b"[2001:db8::1]:5555"), 200)
        self.assertEqual(ask(b"2001:db8::2"), 429)  # one network, one client
        self.assertEqual(ask(b"2001:db8:0:1::2"), 200)

    def wait_until(self, holds, otherwise):
        give_up = time.monotonic() + DEADLINE_S
        while not holds():
            self.assertLess(time.monotonic(), give_up, otherwise)
            threading.Event().wait(0.02)


def wait_readable(client, seconds):
    client.socket.settimeout(seconds)
    try:
        client.socket.recv(1, socket.MSG_PEEK)
        return True
    except TimeoutError:
        return False
    finally:
        client.socket.settimeout(DEADLINE_S)


if __name__ == "__main__":
    unittest.main()
