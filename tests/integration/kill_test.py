#!/usr/bin/env python3
"""Kills the real server and its workers with SIGKILL, at random, under load.

usage: kill_test.py ORDERPROC_BINARY [KILLS=24] [SEED]

Clients keep a history outside of the killed processes: what they asked for, and whether they
were told ok, or never heard (unknown). Each order has a tag in its metadata, and a third of them
no id of its own, so that nothing but the promise keeps it from being there twice. Afterwards the
whole table is judged by the tags:

  answered means durable   every order that was answered is there once, with the body that was sent
  accepted whole           orders, journal and counts agree (orderproc verify)
  effects once             exactly one `complete` an order, versions dense, no entry by a worker
                           whose lease was taken over
  unknown is not two       an order whose answer was lost is there once or not at all
  recovers                 everything that is there gets COMPLETED once the killing stops

A run in which no order was started twice would prove nothing about leases. So the last kill is of a
worker that was stopped, and seen to hold a lease, before it was killed.
"""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from binary_support import Process

CLIENTS = 8
DEADLINE_S = 120  # for any single wait; far above what is needed
LEASE = "1s"
LOOKS_MAX = 500  # at workers, for one that holds a lease; under load nearly all of them do


class Cluster:
    """A server without a worker of its own and two workers over one file."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.file = f"{folder}/orders.db"
        self.storage = f"sqlite:{self.file}"
        self.start_server()
        self.workers = [self.start_worker() for _ in range(2)]

    def start_server(self):
        self.server = Process.supervised(self.binary, "serve", "--no-worker", "--listen",
                                         "127.0.0.1:0", "--storage", self.storage)
        self.port = int(self.server.ready_line.strip().rsplit(":", 1)[1])

    def start_worker(self):
        return Process.supervised(self.binary, "work", "--storage", self.storage, "--lease", LEASE,
                                  "--processor", "simulate:5ms")

    def kill_one(self, dice):
        victim = dice.randrange(4)
        if victim < 2:  # the server half of the time
            self.server.end(signal.SIGKILL)
            self.start_server()
        else:
            self.workers[victim - 2].end(signal.SIGKILL)
            self.workers[victim - 2] = self.start_worker()

    def kill_a_holder(self, history):
        """Kills a worker that holds a lease: somebody else has to start its orders again."""
        for look in range(LOOKS_MAX):
            number = look % len(self.workers)
            child = self.workers[number].child
            child.send_signal(signal.SIGSTOP)
            os.waitpid(child.pid, os.WUNTRACED)  # none of its threads commits anything now
            if self.held_by(child.pid) > 0:
                self.workers[number].end(signal.SIGKILL)
                self.workers[number] = self.start_worker()
                return
            child.send_signal(signal.SIGCONT)
            history.wait_for_more(1)
        raise AssertionError(f"no worker held a lease in {LOOKS_MAX} looks")

    def held_by(self, pid):
        with contextlib.closing(sqlite3.connect(self.file, timeout=DEADLINE_S)) as db:
            return db.execute("SELECT count(*) FROM orders WHERE status = 'PROCESSING' "
                              "AND worker_id LIKE ?", (f"%-{pid}-%",)).fetchone()[0]

    def stop(self):
        codes = [p.end(signal.SIGTERM) for p in (self.server, *self.workers)]
        if any(codes):
            raise AssertionError(f"SIGTERM: exit codes {codes}, expected 0")


class History:
    """What the clients know; safe from any thread."""

    def __init__(self):
        self.changed = threading.Condition()
        self.sent = {}
        self.outcome = {}  # tag -> "ok" | "unknown"

    def invoke(self, tag, body):
        with self.changed:
            self.sent[tag] = body

    def done(self, tag, outcome):
        with self.changed:
            self.outcome[tag] = outcome
            self.changed.notify_all()

    def count(self, outcome):
        return sum(1 for it in self.outcome.values() if it == outcome)

    def wait_for_more(self, how_many):
        with self.changed:
            target = self.count("ok") + how_many
            if not self.changed.wait_for(lambda: self.count("ok") >= target, DEADLINE_S):
                raise AssertionError("recovers: no order was accepted any more")


def client(number, cluster, history, stop):
    dice = random.Random(number)
    serial = 0
    connection = None
    while not stop.is_set():
        serial += 1
        tag = f"{number}-{serial}"
        body = {"user_id": dice.randrange(1, 2**63 - 1),
                "item_ids": [dice.randrange(1, 10**6) for _ in range(dice.randrange(1, 5))],
                "total_amount": dice.randrange(0, 10**6) / 100, "currency": "USD",
                "metadata": {"tag": tag, "note": "grün"}}
        if serial % 3:
            body["order_id"] = f"K-{tag}"
        history.invoke(tag, body)
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=DEADLINE_S)
            connection.request("POST", "/orders", json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            history.done(tag, "unknown")
            with contextlib.suppress(Exception):
                connection.close()
            connection = None
            continue
        if answer.status == 201:
            history.done(tag, "ok")
        elif answer.status == 503:  # overloaded or unavailable; perhaps outcome_unknown
            history.done(tag, "unknown")
        else:
            raise AssertionError(f"POST answered {answer.status}: {text}")


def wait_until_done(storage_path):
    """Recovers: nothing is left that is not COMPLETED."""
    give_up = time.monotonic() + DEADLINE_S
    with contextlib.closing(sqlite3.connect(storage_path, timeout=DEADLINE_S)) as db:
        while True:
            left = db.execute("SELECT count(*) FROM orders WHERE status <> 'COMPLETED'").fetchone()[0]
            if left == 0:
                return
            if time.monotonic() > give_up:
                rows = db.execute("SELECT order_id, status, attempts, last_error FROM orders "
                                  "WHERE status <> 'COMPLETED' LIMIT 5").fetchall()
                raise AssertionError(f"recovers: {left} orders are still not COMPLETED: {rows}")
            threading.Event().wait(0.1)


def judge(storage_path, history):
    with contextlib.closing(sqlite3.connect(storage_path)) as db:
        rows = db.execute("SELECT order_id, user_id, item_ids, amount, currency, metadata, number, "
                          "version FROM orders").fetchall()
        journal = {}
        for number, version, event, actor in db.execute(
                "SELECT number, version, event, actor FROM journal ORDER BY position"):
            journal.setdefault(number, []).append((version, event, actor))

    there = {}  # tag -> order ids
    for order_id, user, items, amount, currency, metadata, number, version in rows:
        metadata = json.loads(metadata)
        tag = metadata["tag"]
        there.setdefault(tag, []).append(order_id)
        sent = history.sent.get(tag)
        if sent is None:
            raise AssertionError(f"{order_id} is there and nobody sent it")
        found = (order_id, user, json.loads(items), amount, currency, metadata)
        expected = (sent.get("order_id", order_id), sent["user_id"], sent["item_ids"],
                    round(sent["total_amount"] * 100), sent["currency"], sent["metadata"])
        if found != expected:
            raise AssertionError(f"answered means durable: {order_id}: {found}, sent {expected}")
        judge_one(order_id, journal[number], version)
    for tag, order_ids in there.items():
        if len(order_ids) > 1:
            raise AssertionError(f"unknown is not two: {tag} ({history.outcome.get(tag)}) is there "
                                 f"as {order_ids}")
    for tag, outcome in history.outcome.items():
        if outcome == "ok" and tag not in there:
            raise AssertionError(f"answered means durable: {tag} was answered and is gone")

    again = sum(1 for entries in journal.values() if [it[1] for it in entries].count("start") > 1)
    if again == 0:
        raise AssertionError("recovers: what a killed worker held was not started again")
    return again


def judge_one(order_id, entries, version):
    if [it[0] for it in entries] != list(range(1, version + 1)):
        raise AssertionError(f"no lost update: versions of {order_id}: {entries}")
    events = [it[1] for it in entries]
    if events[0] != "create" or events.count("create") != 1 or events.count("complete") != 1:
        raise AssertionError(f"effects once: {order_id}: {entries}")
    holder = None
    for _, event, actor in entries[1:]:
        if event == "start":
            holder = actor
        elif event == "complete" and actor != holder:
            raise AssertionError(f"effects once: {order_id} was completed by {actor}, "
                                 f"but {holder} held the lease: {entries}")


def main():
    binary = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}, {kills} kills")
    dice = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="orderproc-kill-")  # kept if a promise is broken
    history, stop = History(), threading.Event()
    failures, threads = [], []

    def guarded(number):
        try:
            client(number, cluster, history, stop)
        except BaseException as e:  # a failed assertion must reach the main thread
            failures.append(e)

    def stop_clients():
        stop.set()
        for it in threads:
            it.join()
        if failures:
            raise failures[0]

    try:
        cluster = Cluster(binary, folder)
        for n in range(CLIENTS):
            threads.append(threading.Thread(target=guarded, args=(n,)))
            threads[-1].start()
        for _ in range(kills):
            history.wait_for_more(dice.randrange(1, 300))
            cluster.kill_one(dice)
            if failures:
                raise failures[0]
        cluster.kill_a_holder(history)
        history.wait_for_more(1)
        stop_clients()
        wait_until_done(f"{folder}/orders.db")
        cluster.stop()
    finally:
        stop.set()
        Process.kill_all()  # also ends what a client still waits for
        for it in threads:
            it.join()
    subprocess.run([binary, "verify", "--storage", cluster.storage], check=True)
    again = judge(f"{folder}/orders.db", history)
    print(f"{history.count('ok')} orders answered, {history.count('unknown')} unknown, {again} "
          f"started again, {kills + 1} kills: every promise held")
    shutil.rmtree(folder)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
