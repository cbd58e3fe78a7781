#!/usr/bin/env python3
"""Many processes and a RabbitMQ of the test's own, which is killed, wiped, starved and cut off.

usage: broker_test.py ORDERPROC_BINARY [ROUNDS=1]

A server without a worker relays, two workers are woken by messages, all over one file. A consumer
of the test's own collects all events. Clients keep posting through every fault and must never be
refused; when the server that relays dies, another one goes on within its lease. Afterwards:

  every order that was answered is COMPLETED, exactly once by its journal
  every entry of the journal was delivered at least once, as asyncapi.yaml says
  versions of an order ascend in first deliveries
  what others put into the workers' queue lies in the poison queue, and held nobody up

Exits with 77 where RabbitMQ or python3-pika is not installed.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rabbitmq_node  # noqa: E402
from binary_support import Process  # noqa: E402

try:
    import pika
except ImportError:
    sys.exit(77)

BINARY = sys.argv[1]
DEADLINE_S = 240  # for any single wait; far above what is needed
LEASE_S = 3
RELAY_LEASE_S = 10
SLACK_S = 30  # of a busy machine
EXCHANGE = "orderproc.events"


def wait_for(what, condition, seen=lambda: ""):
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"never: {what} {seen()}")
        threading.Event().wait(0.05)


class Proxy:
    """Between the server and the broker: it can keep back what the broker says, and cut off."""

    def __init__(self, port):
        self.to = port
        self.lets_through = threading.Event()
        self.lets_through.set()
        self.sent = 0  # bytes to the broker
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                client.close()
                continue
            self.pairs.append((client, broker))
            for pair in ((client, broker, True), (broker, client, False)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, sink, to_broker):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if to_broker:
                    self.sent += len(data)
                else:
                    self.lets_through.wait()
                sink.sendall(data)
        for it in (source, sink):
            with contextlib.suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)

    def cut(self):
        for pair in self.pairs:
            for it in pair:
                with contextlib.suppress(OSError):
                    it.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()
        self.lets_through.set()

    def close(self):
        self.listener.close()
        self.cut()


class Collector:
    """Another service that subscribed: what it was delivered, in that order."""

    def __init__(self, node):
        self.node = node
        self.got = []  # (offset, order id, version)
        self.wrong = []
        self.stopping = False
        self.declared = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                self.consume()
            except pika.exceptions.AMQPError:
                self.declared.clear()
                threading.Event().wait(0.1)

    def consume(self):
        connection = pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.node.port, heartbeat=0))
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "topic", durable=True)
        channel.queue_declare("test.events", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind("test.events", EXCHANGE, "order.#")
        channel.basic_qos(prefetch_count=200)
        self.declared.set()
        for method, properties, body in channel.consume("test.events", inactivity_timeout=0.1):
            if self.stopping:
                connection.close()
                return
            if method:
                self.note(method, properties, json.loads(body))
                channel.basic_ack(method.delivery_tag)

    def note(self, method, properties, event):
        data = event["data"]
        expected = (f"order.{data['event']}", event["id"], event["subject"],
                    "application/cloudevents+json", 2)
        found = (method.routing_key, properties.message_id, properties.correlation_id,
                 properties.content_type, properties.delivery_mode)
        if found != expected:
            self.wrong.append(f"{found}, expected {expected}")
        self.got.append((int(event["id"].split("-")[1]), data["order_id"], data["version"]))

    def repeats(self):
        return len(self.got) - len(set(self.got))

    def stop(self):
        self.stopping = True
        self.thread.join()

    def judge(self, offsets):
        if self.wrong:
            raise AssertionError(self.wrong[0])
        missing = offsets - {it[0] for it in self.got}
        if missing:
            raise AssertionError(f"at least once: {len(missing)} events are missing: "
                                 f"{sorted(missing)[:5]}")
        latest, seen = {}, set()
        for _, order_id, version in self.got:
            if (order_id, version) in seen:
                continue
            seen.add((order_id, version))
            if version < latest.get(order_id, 0):
                raise AssertionError(f"order: {order_id} version {version} came first after "
                                     f"{latest[order_id]}")
            latest[order_id] = version


class Shop:
    def __init__(self, node, folder):
        self.node = node
        self.path = f"{folder}/orders.db"
        self.storage = f"sqlite:{self.path}"
        self.log = open(f"{folder}/log", "w", encoding="utf-8")
        self.proxy = Proxy(node.port)
        self.server = self.serve(self.proxy.port)
        self.workers = [self.work() for _ in range(2)]
        self.answered = []
        self.failures = []
        self.posting = threading.Event()
        self.threads = []

    def serve(self, broker_port):
        return Process.supervised(BINARY, "serve", "--no-worker", "--listen", "127.0.0.1:0",
                                  "--storage", self.storage, log=self.log,
                                  ORDERPROC_BROKER=f"amqp://guest:guest@127.0.0.1:{broker_port}")

    def work(self, processor="simulate:5ms", *more):
        return Process.supervised(BINARY, "work", "--storage", self.storage, "--broker",
                                  self.node.url, "--lease", f"{LEASE_S}s", "--processor",
                                  processor, *more, log=self.log)

    def ask(self, method, target, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=DEADLINE_S)
        connection.request(method, target, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"} if body is not None else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def start_load(self):
        self.posting.set()
        self.threads = [threading.Thread(target=self.post) for _ in range(4)]
        for it in self.threads:
            it.start()

    def post(self):
        try:
            while self.posting.is_set():
                status, made = self.ask("POST", "/orders", ORDER)
                if status != 201:
                    raise AssertionError(f"refused: {status} {made}")
                self.answered.append(made["order_id"])
                threading.Event().wait(0.01)  # a load, not a benchmark
        except BaseException as e:  # a failed assertion must reach the main thread
            self.failures.append(e)

    def accept_more(self, count):
        target = len(self.answered) + count
        wait_for("orders are accepted", lambda: self.failures or len(self.answered) >= target)
        if self.failures:
            raise self.failures[0]

    def stop_load(self):
        self.posting.clear()
        for it in self.threads:
            it.join()
        if self.failures:
            raise self.failures[0]

    def post_many(self, count):
        status, made = self.ask("POST", "/orders/batch", [ORDER] * count)
        if status != 200 or any(it["status"] != 201 for it in made["items"]):
            raise AssertionError(f"batch: {status}")
        ids = [it["order"]["order_id"] for it in made["items"]]
        self.answered += ids
        return ids

    def post_unconfirmed(self):
        """Events that are with the broker, from where no confirm comes back."""
        self.proxy.lets_through.clear()
        before = self.proxy.sent
        self.post_many(1000)
        # An event takes more than 500 bytes, a heartbeat 8.
        wait_for("events are published", lambda: self.proxy.sent > before + 500)

    def readiness(self):
        return self.ask("GET", "/readyz")

    def query(self, text):
        with contextlib.closing(sqlite3.connect(self.path, timeout=DEADLINE_S)) as db:
            return db.execute(text).fetchall()

    def wait_until_done(self):
        wait_for("all orders are COMPLETED", lambda: not self.query(
            "SELECT 1 FROM orders WHERE status <> 'COMPLETED' LIMIT 1"))

    def offsets(self, after=0):
        return {it[0] for it in self.query(f"SELECT position FROM journal WHERE position > {after}")}

    def judge(self):
        orders = dict(self.query("SELECT order_id, number FROM orders"))
        events = {}
        for number, event in self.query("SELECT number, event FROM journal ORDER BY position"):
            events.setdefault(number, []).append(event)
        for order_id in self.answered:
            if order_id not in orders:
                raise AssertionError(f"{order_id} was answered and is gone")
            of_it = events[orders[order_id]]
            if of_it.count("complete") != 1:
                raise AssertionError(f"once: {order_id}: {of_it}")


ORDER = {"user_id": 7, "item_ids": [1, 2], "total_amount": 12.5}


def judge_all(shop, collector, after=0):
    """Once all is done and delivered; the last offset."""
    shop.wait_until_done()
    expected = shop.offsets(after)
    wait_for("all events are delivered",
             lambda: not expected - {it[0] for it in list(collector.got)})
    collector.judge(expected)
    shop.judge()
    return max(expected)


def broker_dies_under_load(shop):
    shop.start_load()
    shop.accept_more(100)
    shop.node.kill()
    shop.accept_more(100)  # nothing is refused
    wait_for("readyz says degraded", lambda: shop.readiness()[1]["status"] == "degraded")
    status, body = shop.readiness()
    assert status == 200 and "relay" in body["reasons"][0], body
    shop.node.start()
    shop.accept_more(100)
    shop.stop_load()  # a slow machine would never catch up
    wait_for("readyz says ready", lambda: shop.readiness()[1]["status"] == "ready",
             shop.readiness)
    shop.start_load()


def memory_alarm(shop):
    shop.node.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    shop.accept_more(100)
    shop.node.ctl("set_vm_memory_high_watermark", "absolute", "1GB")
    shop.accept_more(50)
    shop.stop_load()


def cut_before_the_confirms(shop):
    shop.post_unconfirmed()
    shop.proxy.cut()


def broker_is_wiped(shop, collector):
    collector.stop()
    shop.node.wipe()
    again = Collector(shop.node)
    assert again.declared.wait(DEADLINE_S)
    wait_for("the topology is there again", lambda: {"orderproc.work", "orderproc.poison"} <=
             set(shop.node.ctl("list_queues", "name").split()))
    wait_for("readyz says ready", lambda: shop.readiness()[1]["status"] == "ready",
             shop.readiness)
    shop.post_many(200)
    return again


def strangers_write_to_the_workers(shop):
    with contextlib.closing(pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", shop.node.port, heartbeat=0))) as connection:
        channel = connection.channel()
        sent = {"short": {"a": "b"}, "long": {f"h{i}": "x" * 1000 for i in range(120)}}
        for name, headers in sent.items():
            channel.basic_publish("", "orderproc.work", b"hello",
                                  pika.BasicProperties(message_id=name, headers=headers))
        found = {}

        def all_put_aside():
            method, properties, body = channel.basic_get("orderproc.poison", auto_ack=True)
            if method:
                assert body == b"hello"
                found[properties.message_id] = properties.headers
            return found.keys() == sent.keys()
        wait_for("all of it is put aside", all_put_aside)
    for name, headers in found.items():
        headers.pop("x-delivery-count", None)  # the broker's own
        assert headers.pop("x-poison-topic") == "orderproc.work"
        assert "event" in headers.pop("x-poison-reason")
        kept = sent[name] if name == "short" else {}
        assert headers == kept, f"{name}: {headers}"
    shop.post_many(100)


def worker_dies_with_a_thousand(shop):
    for it in shop.workers:
        assert it.end() == 0
    victim = shop.work("simulate:1h", "--in-flight", "1000")
    ids = set(shop.post_many(1000))
    wait_for("one worker holds all", lambda: shop.query(
        "SELECT count(*) FROM orders WHERE leased")[0][0] == len(ids))
    shop.workers = [shop.work("simulate:0") for _ in range(2)]
    died_at = time.time() * 1000
    victim.end(signal.SIGKILL)
    shop.wait_until_done()
    late = shop.query("SELECT max(first) FROM (SELECT min(at) AS first FROM journal "
                      f"WHERE event = 'start' AND at > {died_at} GROUP BY number)")[0][0]
    if late > died_at + 1000 * (LEASE_S + 5):
        raise AssertionError(f"recovers: the last was claimed {late - died_at:.0f} ms after")


def leads(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    connection.request("GET", "/metrics", headers={"Accept": "text/plain"})
    text = connection.getresponse().read().decode()
    connection.close()
    return 'orderproc_broker_connected{connection="relay"} 1' in text.splitlines()


def takes_over(server, since, limit_s):
    wait_for("another server relays", lambda: leads(server))
    took = time.monotonic() - since
    if took > limit_s:
        raise AssertionError(f"took over after {took:.1f} s, expected {limit_s} s at most")


def relay_dies_before_the_confirms(shop, collector):
    wait_for("the first server relays", lambda: leads(shop.server))
    first, shop.server = shop.server, shop.serve(shop.node.port)
    shop.post_unconfirmed()
    shop.start_load()
    shop.accept_more(100)
    before = collector.repeats()
    assert leads(first) and not leads(shop.server), "one server relays"
    died_at = time.monotonic()
    first.end(signal.SIGKILL)
    shop.proxy.cut()
    takes_over(shop.server, died_at, RELAY_LEASE_S + SLACK_S)
    wait_for("what was not confirmed comes again", lambda: collector.repeats() > before)
    shop.accept_more(100)


def relay_is_told_to_stop(shop):
    """It lets go of what it leads, so that nobody waits for a lease."""
    shop.stop_load()
    first, shop.server = shop.server, shop.serve(shop.proxy.port)
    shop.post_many(500)
    assert first.end() == 0
    takes_over(shop.server, time.monotonic(), RELAY_LEASE_S - 1)


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with rabbitmq_node.Node() as node, tempfile.TemporaryDirectory() as folder:
        collector = Collector(node)
        assert collector.declared.wait(DEADLINE_S)
        try:
            shop = Shop(node, folder)
            done = 0
            for _ in range(rounds):
                broker_dies_under_load(shop)
                memory_alarm(shop)
                judge_all(shop, collector, done)
                cut_before_the_confirms(shop)
                done = judge_all(shop, collector, done)
                assert collector.repeats() > 0, "nothing came twice: the cut proved nothing"
                collector = broker_is_wiped(shop, collector)
                done = judge_all(shop, collector, done)
                strangers_write_to_the_workers(shop)
                worker_dies_with_a_thousand(shop)
                done = judge_all(shop, collector, done)
                relay_dies_before_the_confirms(shop, collector)
                relay_is_told_to_stop(shop)
                done = judge_all(shop, collector, done)
            codes = [it.end() for it in (shop.server, *shop.workers)]
            assert not any(codes), f"SIGTERM: exit codes {codes}, expected 0"
            subprocess.run([BINARY, "verify", "--storage", shop.storage], check=True)
            print(f"{len(shop.answered)} orders, {done} events, {collector.repeats()} repeated: "
                  "every promise held")
        except BaseException:
            with open(f"{folder}/log", encoding="utf-8", errors="replace") as text:
                sys.stderr.write(text.read()[-8000:])
            raise
        finally:
            if "shop" in locals():
                shop.posting.clear()
            Process.kill_all()
            if "shop" in locals():
                for it in shop.threads:
                    it.join()
                shop.proxy.close()
                shop.log.close()
            collector.stop()


if __name__ == "__main__":
    if not rabbitmq_node.installed():
        sys.exit(rabbitmq_node.NOT_INSTALLED)
    main()
