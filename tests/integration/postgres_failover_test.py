#!/usr/bin/env python3
"""Two servers and two workers on a PostgreSQL cluster that loses its leader again and again.

usage: postgres_failover_test.py ORDERPROC_BINARY [ROUNDS] [FAULT…]

Faults: kill (SIGKILL to all of the leader's processes), pause (SIGSTOP to them, until another one
leads), switchover (as an operator asks for). By default one kill. What was answered is never lost
and never done twice, the feed has no gap, no repeat and no reset, clients see nothing but success
and 503, and ten seconds after Patroni shows the new leader orders are taken again.

Exits with 77 where Patroni, etcd or PostgreSQL's server is not installed.
"""

import collections
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_cluster  # noqa: E402
import postgres_node  # noqa: E402
from binary_support import BINARY, Process, wait_until  # noqa: E402
from live_test import Listener  # noqa: E402

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
FAULTS = sys.argv[3:] or ["kill"]
BACK_S = 10       # from the new leader to the first order taken
POSTERS = 3
BETWEEN = 60      # orders acknowledged between two faults


def expect(true, what):
    if not true:
        raise AssertionError(what)


class Load:
    """Clients that post orders, again with the same key until they are taken, and read them."""

    def __init__(self, servers):
        self.servers = servers
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.taken = {}  # order id: time
        self.answers = collections.Counter()
        self.wrong = []
        self.threads = [threading.Thread(target=self.post, args=(i,), daemon=True)
                        for i in range(POSTERS)]
        self.threads.append(threading.Thread(target=self.read, daemon=True))
        for it in self.threads:
            it.start()

    def ask(self, server, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            code = json.loads(text).get("code", "") if answer.status >= 400 else ""
            with self.lock:
                self.answers[method, answer.status, code] += 1
            if answer.status == 503 and not answer.headers.get("Retry-After") and \
                    code != "outcome_unknown":
                self.blame(f"{method} {target}: 503 without Retry-After: {text}")
            return answer.status, text
        except OSError as wrong:  # the servers never die
            self.blame(f"{method} {target}: {wrong!r}")
            return 0, ""
        finally:
            connection.close()

    def blame(self, what):
        with self.lock:
            self.wrong.append(what)

    def post(self, who):
        made = 0
        while not self.over.is_set():
            made += 1
            order_id = f"ORD-{who}-{made}"
            body = json.dumps({"order_id": order_id, "user_id": who + 1, "item_ids": [1, 2],
                               "total_amount": 10.5})
            headers = {"Content-Type": "application/json", "Idempotency-Key": order_id}
            tries = made
            while not self.over.is_set():
                tries += 1
                status, text = self.ask(self.servers[tries % len(self.servers)], "POST", "/orders",
                                        body, headers)
                if status == 201:
                    with self.lock:
                        self.taken[order_id] = time.monotonic()
                    break
                if status != 503:
                    self.blame(f"POST of {order_id}: {status} {text}")
                    return
                self.over.wait(0.1)

    def read(self):
        """What was taken is there, at once, on every server, or nobody can tell."""
        turn = 0
        while not self.over.is_set():
            turn += 1
            with self.lock:
                newest = list(self.taken)[-1:]
            for order_id in newest:
                status, text = self.ask(self.servers[turn % len(self.servers)], "GET",
                                        f"/orders/{order_id}")
                if status not in (200, 503):
                    self.blame(f"GET of {order_id}: {status} {text}")
            self.over.wait(0.02)

    def count(self):
        with self.lock:
            if self.wrong:
                raise AssertionError(self.wrong[0])
            return len(self.taken)

    def first_after(self, begin):
        """Seconds until the first order was taken that was taken after that."""
        def found():
            self.count()
            with self.lock:
                later = [at for at in self.taken.values() if at > begin]
            return min(later, default=None)
        return wait_until(found, "an order is taken", 120) - begin

    def stop(self):
        self.over.set()
        for it in self.threads:
            it.join(150)
        self.count()


class Failover:
    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.storage = cluster.url
        self.logs = []
        self.folder = folder
        subprocess.run([BINARY, "migrate", "--init", "--storage", self.storage], check=True,
                       stdout=subprocess.DEVNULL)
        self.servers = [self.start("serve", "--listen", "127.0.0.1:0", "--no-worker")
                        for _ in range(2)]
        self.workers = [self.start("work", "--processor", "simulate:5ms") for _ in range(2)]
        self.listeners = [Listener(lambda it=it: it.port, "/events?after=0")
                          for it in self.servers]
        for it in self.listeners:
            it.start()
        self.load = Load(self.servers)

    def start(self, *arguments):
        self.logs.append(open(f"{self.folder}/{len(self.logs)}.log", "w+", encoding="utf-8"))
        return Process(BINARY, *arguments, "--storage", self.storage, log=self.logs[-1])

    def wait_for_orders(self):
        wanted = self.load.count() + BETWEEN
        wait_until(lambda: self.load.count() >= wanted, "orders are taken", 120)

    def new_leader(self, before):
        return self.cluster.wait(
            lambda: (now := self.cluster.leader()) and now is not before and now, "a new leader")

    def fault(self, name):
        before = self.cluster.leader()
        begin = time.monotonic()
        if name == "kill":
            before.kill()
        elif name == "pause":
            before.signal(signal.SIGSTOP)
        else:
            self.cluster.switch_over()
        self.new_leader(before)
        shown = time.monotonic()
        back = self.load.first_after(shown)
        print(f"{name} of {before.name}: a new leader after {shown - begin:.1f} s, "
              f"orders {back:.1f} s later", flush=True)
        if name == "kill":
            before.start()
        elif name == "pause":
            before.signal(signal.SIGCONT)
        self.wait_for_orders()
        self.cluster.wait_for_standbys()
        return back

    def run(self):
        back = []
        self.wait_for_orders()
        for i in range(ROUNDS):
            for name in FAULTS:
                leader = self.cluster.leader()
                self.wait_for_orders()
                if self.cluster.leader() is not leader:
                    print("an election that nobody asked for", flush=True)
                back.append(self.fault(name))
        self.load.stop()
        self.check()
        print(f"orders taken: {self.load.count()}; seconds until orders were taken again: "
              f"median {statistics.median(back):.1f}, most {max(back):.1f}; "
              f"answers: {dict(self.load.answers)}")
        expect(max(back) <= BACK_S, f"orders were not taken within {BACK_S} s: {back}")

    def check(self):
        taken = list(self.load.taken)
        entries = self.whole_journal(len(taken))
        events = collections.Counter((it["subject"], it["data"]["event"]) for it in entries)
        for order_id in taken:
            for event in ("create", "complete"):
                expect(events[order_id, event] == 1,
                       f"{order_id}: {events[order_id, event]} times {event}")
        positions = [it["id"] for it in entries]
        offsets = [int(it.split("-")[1]) for it in positions]
        expect(offsets == list(range(1, len(offsets) + 1)), "the journal has gaps")
        for it in self.listeners:
            it.wait_for(lambda it: len(it.events) >= len(entries), "saw all entries")
            expect(it.resets == 0, "a listener was reset")
            expect([event["id"] for event in it.events] == positions, "a listener saw another feed")
            it.stop()
        verified = subprocess.run([BINARY, "verify", "--storage", self.storage], check=False,
                                  text=True, capture_output=True)
        expect(verified.returncode == 0, verified.stdout + verified.stderr)
        for it in self.servers + self.workers:
            expect(it.end() == 0, "a process did not end well")

    def whole_journal(self, orders):
        """When all orders are done."""
        def completed():
            _, text = self.load.ask(self.servers[0], "GET", "/metrics")
            return json.loads(text).get("total_orders_processed", 0) >= orders
        wait_until(completed, "all orders are done", 240)
        entries, after, more = [], "0", True
        while more:
            status, text = self.load.ask(self.servers[0], "GET",
                                         f"/journal?after={after}&limit=1000")
            expect(status == 200, text)
            page = json.loads(text)
            expect(not page["reset"], "the journal begins anew")
            entries += page["items"]
            after, more = page["next"], page["more"]
        return entries

    def show_logs(self):
        for it in self.logs:
            it.flush()
            it.seek(0)
            print(it.name, it.read()[-3000:], sep="\n", file=sys.stderr)


def main():
    if postgres_cluster.missing():
        print("not installed:", *postgres_cluster.missing())
        return postgres_node.NOT_INSTALLED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not before everything ended
    with postgres_cluster.Cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        try:
            it = Failover(cluster, folder)
            try:
                it.run()
            except BaseException:
                it.show_logs()
                print(cluster.view(), cluster.logs(), sep="\n", file=sys.stderr)
                raise
        finally:
            Process.kill_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
