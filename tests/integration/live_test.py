#!/usr/bin/env python3
"""The live feed of the real server: what other processes commit, and what survives SIGKILL.

usage: live_test.py ORDERPROC_BINARY [KILLS=8]

Listeners follow the stream as an EventSource does: when it breaks they come again with the last
id that they saw. Whatever happens to the server meanwhile, each has to see every entry of the
journal that its filter matches, once, in order.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

from binary_support import Process

DEADLINE_S = 120  # for any single wait; far above what is needed


class Place:
    """A folder with one file of orders, and processes over it."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix="orderproc-live-")
        self.storage = f"sqlite:{self.folder}/orders.db"

    def serve(self, *more):
        return Process.supervised(self.binary, "serve", "--listen", "127.0.0.1:0",
                                  "--storage", self.storage, *more)

    def work(self):
        return Process.supervised(self.binary, "work", "--storage", self.storage,
                                  "--processor", "simulate:1ms")

    def journal(self):
        """The positions of all entries, in order."""
        with sqlite3.connect(f"{self.folder}/orders.db") as file:
            return [row[0] for row in file.execute("SELECT position FROM journal ORDER BY position")]


def post(port, order, user=1):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("POST", "/orders", json.dumps(
            {"order_id": order, "user_id": user, "item_ids": [1], "total_amount": 1}),
            {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def get(port, target, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("GET", target, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def blocks(response):
    """The blocks of a stream, as {field: value}, until it ends or breaks."""
    block = {}
    while line := response.readline():
        line = line.decode().rstrip("\n")
        if not line:
            yield block
            block = {}
        elif not line.startswith(":"):
            name, value = line.split(": ", 1)
            if name in block:
                raise AssertionError(f"two {name} in one event")
            block[name] = value


class Listener(threading.Thread):
    """Follows the stream from its beginning, through all that happens to it."""

    def __init__(self, port_of, target):
        super().__init__(daemon=True)
        self.port_of = port_of
        self.target = target
        self.changed = threading.Condition()
        self.events = []
        self.resets = 0
        self.connected = 0
        self.wrong = None
        self.over = False
        self.socket = None
        self.last_id = None

    def run(self):
        while not self.over:
            connection = http.client.HTTPConnection("127.0.0.1", self.port_of(), timeout=DEADLINE_S)
            try:
                headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
                connection.request("GET", self.target, headers=headers)
                self.socket = connection.sock
                self.listen(connection.getresponse())
            except (OSError, http.client.HTTPException):
                pass  # the server was killed
            except Exception as wrong:  # pylint: disable=broad-except
                self.fail(repr(wrong))
            finally:
                connection.close()

    def listen(self, response):
        if response.status != 200:
            self.fail(f"{response.status}: {response.read()}")
            return
        with self.changed:
            self.connected += 1
            self.changed.notify_all()
        for block in blocks(response):
            with self.changed:
                if "id" in block:
                    self.last_id = block["id"]
                if "data" in block and "event" not in block:
                    self.events.append(json.loads(block["data"]))
                    if self.events[-1]["id"] != block["id"]:
                        self.wrong = f"{block['id']} has {self.events[-1]['id']}"
                self.resets += block.get("event") == "reset"
                self.changed.notify_all()

    def fail(self, why):
        with self.changed:
            self.wrong = why
            self.over = True
            self.changed.notify_all()

    def wait_for(self, what, why):
        with self.changed:
            done = self.changed.wait_for(lambda: self.wrong or what(self), DEADLINE_S)
            if self.wrong or not done:
                raise AssertionError(f"{self.target}: {self.wrong or 'never ' + why}")

    def stop(self):
        self.over = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join(DEADLINE_S)

    def positions(self):
        return [int(it["id"].split("-")[1]) for it in self.events]


def subjects(listener, status):
    """The orders that it saw moved there."""
    return {it["subject"] for it in listener.events if it["data"]["to"] == status}


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def expect_prompt(listener, other):
    """What another process commits is told within 200 ms, as a rule: a machine may be busy now and then."""
    late = []
    for number in range(15):
        expect(post(other.port, f"P-{number}") == 201, "POST to the other server")
        answered = time.monotonic()
        listener.wait_for(lambda it, n=number: f"P-{n}" in subjects(it, "PENDING"), "saw the order")
        late.append(time.monotonic() - answered)
    expect(statistics.median(late) <= 0.2, f"events come late: {late}")


def test_other_processes(binary):
    place = Place(binary)
    listening = place.serve("--no-worker")
    other = place.serve("--no-worker")
    worker = place.work()
    all_of_it = Listener(lambda: listening.port, "/events?after=0")
    completed = Listener(lambda: listening.port, "/events?status=completed&user_id=7")
    for it in (all_of_it, completed):
        it.start()
        it.wait_for(lambda it: it.connected, "connected")
    expect(post(other.port, "A-1", 7) == 201, "POST to the other server")
    expect(post(other.port, "A-2", 8) == 201, "POST to the other server")
    all_of_it.wait_for(lambda it: len(it.events) == 6, "saw what the other processes did")
    completed.wait_for(lambda it: len(it.events) == 1, "saw what the worker did")
    expect(all_of_it.positions() == [1, 2, 3, 4, 5, 6], all_of_it.positions())
    for order in ("A-1", "A-2"):
        words = [it["data"]["event"] for it in all_of_it.events if it["subject"] == order]
        expect(words == ["create", "start", "complete"], f"{order}: {words}")
    expect(completed.events[0]["subject"] == "A-1", completed.events)
    expect_prompt(all_of_it, other)
    shown = get(listening.port, "/metrics", Accept="text/plain")
    expect("\norderproc_sse_clients 2\n" in shown, shown)
    # SIGTERM ends streams, though their clients would go on listening.
    for it in (all_of_it, completed):
        it.over = True
    expect(listening.end(signal.SIGTERM) == 0, "exit code of a server with listeners")
    for it in (all_of_it, completed):
        it.join(DEADLINE_S)
        expect(not it.is_alive(), "a listener goes on after SIGTERM")
    expect(other.end(signal.SIGTERM) == 0 and worker.end(signal.SIGTERM) == 0, "exit codes")
    shutil.rmtree(place.folder)


def test_kills(binary, kills):
    place = Place(binary)
    server = place.serve("--processor", "simulate:0")
    port = lambda: server.port  # noqa: E731  the one that listens now
    listeners = [Listener(port, "/events?after=0"), Listener(port, "/events?after=0&user_id=3"),
                 Listener(port, "/events?after=0&status=COMPLETED")]
    for it in listeners:
        it.start()
    answered = []
    over = threading.Event()

    def write(number):
        count = 0
        while not over.is_set():
            count += 1
            order = f"W{number}-{count}"
            try:
                if post(server.port, order, number) == 201:
                    answered.append(order)
            except (OSError, http.client.HTTPException):
                pass  # unknown: it may be there

    writers = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(1, 5)]
    for it in writers:
        it.start()
    for kill in range(kills):
        seen = len(listeners[0].events)
        for it in listeners:
            it.wait_for(lambda it, n=kill: it.connected > n, "came again")
        listeners[0].wait_for(lambda it: len(it.events) > seen + 100, "went on")
        server.end(signal.SIGKILL)
        server = place.serve("--processor", "simulate:0")
    over.set()
    for it in writers:
        it.join(DEADLINE_S)
    everything, of_user, of_status = listeners
    expect(post(server.port, "last") == 201, "POST of the last order")
    everything.wait_for(lambda it: "last" in subjects(it, "PENDING"), "saw the last order")
    everything.wait_for(lambda it: subjects(it, "PENDING") <= subjects(it, "COMPLETED"),
                        "saw every order completed")
    journal = place.journal()
    expect(everything.positions() == journal, "the stream is not the journal")
    seen = {it["subject"] for it in everything.events}
    expect(not set(answered) - seen, "an answered order is not in the stream")
    mine = [it["id"] for it in everything.events if it["data"]["order"]["user_id"] == 3]
    done = [it["id"] for it in everything.events if it["data"]["to"] == "COMPLETED"]
    for listener, wanted in ((of_user, mine), (of_status, done)):
        listener.wait_for(lambda it, n=len(wanted): len(it.events) >= n, "saw all of its own")
        expect([it["id"] for it in listener.events] == wanted, f"{listener.target} differs")
    expect(not any(it.resets for it in listeners), "a reset, though nothing was lost")
    print(f"{len(journal)} entries, {len(answered)} orders answered, {kills} kills, "
          f"{[it.connected for it in listeners]} connections")
    for it in listeners:
        it.stop()
    expect(server.end(signal.SIGTERM) == 0, "exit code")
    shutil.rmtree(place.folder)


def test_docs():
    """What the guide shows is what a browser runs in the tests."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(f"{root}/docs/live.md", encoding="utf-8") as guide:
        snippets = re.findall(r"```js\n(.*?)```", guide.read(), re.DOTALL)
    with open(f"{root}/tests/api/live_page.html", encoding="utf-8") as page:
        text = page.read()
    expect(len(snippets) == 2, "docs/live.md shows two ways")
    for it in snippets:
        expect(it in text, f"docs/live.md shows what live_page.html does not have:\n{it}")


def main():
    binary = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    try:
        test_docs()
        test_other_processes(binary)
        test_kills(binary, kills)
    finally:
        Process.kill_all()


if __name__ == "__main__":
    main()
