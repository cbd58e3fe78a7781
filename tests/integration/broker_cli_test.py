#!/usr/bin/env python3
"""What the options about the broker take, and what people hear when the broker is not there.

usage: broker_cli_test.py ORDERPROC_BINARY
"""

import contextlib
import http.client
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rabbitmq_node  # noqa: E402
from binary_support import ORDER, WithStorage, main, run, wait_until  # noqa: E402

try:
    import pika
except ImportError:
    pika = None

SECRET = "s3cr3t"
NOBODY = "127.0.0.1:1"  # nobody listens there
COMMANDS = (["serve", "--listen", "127.0.0.1:0"], ["work"])


def first_event(running):
    """Of the live feed, from its beginning."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("GET", "/events", headers={"Last-Event-ID": "0"})
    answer = connection.getresponse()
    for line in iter(answer.readline, b""):
        if line.startswith(b"data: "):
            connection.close()
            return json.loads(line[6:])
    raise AssertionError("the feed has no event")


class WithBrokerFile(WithStorage):
    def written(self, text, name="broker"):
        path = f"{self.folder.name}/{name}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def degraded(self, running):
        """Its reasons, once there is one of each connection."""
        connections = 1 if "--no-worker" in running.child.args else 2

        def found():
            status, body = running.ask("GET", "/readyz")
            self.assertEqual(status, 200)
            reasons = body.get("reasons", [])
            return reasons if body["status"] == "degraded" and len(reasons) == connections else None
        return wait_until(found, "readyz says degraded")


class Settings(WithBrokerFile):
    def refused(self, *arguments, hint, **environment):
        for command in COMMANDS:
            with self.subTest(command[0], arguments=arguments):
                ended = run(*command, "--storage", self.storage, *arguments, **environment)
                self.assertEqual(ended.returncode, 2, ended)
                self.assertIn(hint, ended.stderr)
                self.assertNotIn(SECRET, ended.stdout + ended.stderr)

    def test_a_url_that_means_nothing_is_refused(self):
        for url, hint in (("", "unknown broker"), ("rabbit", "unknown broker"), (f"http://{SECRET}", "unknown broker"),
                          ("amqp:host", "amqp://"), ("amqp://", "host"), ("amqp://h:0", "port"),
                          ("amqp://h:65536", "port"), ("amqps://[::1", "]"), ("amqp://h/a/b", "%2F"),
                          ("amqp://h?heartbeat=9", "?")):
            self.refused("--broker", url, hint=hint)
            self.refused("--broker-file", self.written(url + "\n"), hint=hint if url else "URL")
        self.refused(ORDERPROC_BROKER=f"amqp://user:{SECRET}@h:x", hint="port")

    def test_messages_give_way_for_a_time(self):
        for text, hint in (("soon", "soon"), ("-1s", "-1s"), ("10000d", "10000d")):
            ended = run("serve", "--listen", "127.0.0.1:0", "--storage", self.storage, "--broker",
                        "memory:", f"--broker-max-publish-lag={text}")
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn(hint, ended.stderr)
        running = self.serve("--broker", "memory:", "--broker-max-publish-lag", "0", "--processor",
                             "simulate:0")
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        running.wait_for(ORDER["order_id"], "COMPLETED")
        self.assertEqual(running.stop()[0], 0)

    def test_a_password_does_not_belong_on_the_command_line(self):
        for url in (f"amqp://user:{SECRET}@{NOBODY}", f"amqps://user:{SECRET}@a,b/v",
                    f"amqp://:{SECRET}@h", f"amqp://user:{SECRET}@x@h"):
            for hint in ("ORDERPROC_BROKER", "--broker-file"):
                self.refused("--broker", url, hint=hint)
            self.refused("--broker", url, hint="--broker-file", ORDERPROC_BROKER="none")

    def test_a_file_that_is_missing_or_empty_is_named(self):
        for path, hint in (("/nonexistent/broker", "cannot be read"), (self.folder.name, "URL"),
                           (self.written(""), "URL"), (self.written(" \n", "blank"), "URL")):
            self.refused("--broker-file", path, hint=path)
            self.refused("--broker-file", path, hint=hint)
        good = self.written(f"amqp://user:{SECRET}@{NOBODY}\n")
        self.refused("--broker-file", good, "--broker", "memory:", hint="one of them")
        self.refused("--broker-file", good, ORDERPROC_BROKER="memory:", hint="one of them")

    def test_a_prefix_makes_names(self):
        for prefix in ("", "a b", "shop#", "*", ".shop", "shop.", "amq.shop", "x" * 65, "caf\u00e9"):
            self.refused("--broker-prefix", prefix, hint="--broker-prefix")

    def test_a_source_of_events_is_a_uri_reference(self):
        for source in ("", "a b", "/{shop}", '/"', "/" + "x" * 255):
            ended = run("serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                        "--event-source", source)
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn("--event-source", ended.stderr)
        running = self.serve("--no-worker", "--event-source", "urn:example:berlin")
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        self.assertEqual(first_event(running)["source"], "urn:example:berlin")

    def test_authorities_are_for_tls(self):
        for where in (["--broker", f"amqp://{NOBODY}"],
                      ["--broker-file", self.written(f"amqp://{NOBODY}\n")]):
            self.refused(*where, "--broker-ca", "/etc/ca.pem", hint="amqps://")

    def test_a_broker_that_is_away_delays_nothing_but_messages(self):
        path = self.written(f"amqp://user:{SECRET}@{NOBODY} \r\nwhatever\n")
        running = self.serve("--processor", "simulate:0", "--broker-file", path)
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        running.wait_for(ORDER["order_id"], "COMPLETED")
        reasons = self.degraded(running)
        self.assertEqual({it.split(":")[0] for it in reasons}, {"relay", "wake_ups"})
        for reason in reasons:
            self.assertIn(f"no connection to amqp://{NOBODY}: {NOBODY}: ", reason)
        code, log = running.stop()
        self.assertEqual(code, 0)
        self.assertIn("broker_disconnected", log)
        self.assertNotIn(SECRET, log + str(reasons))

    def test_a_worker_starts_without_its_broker_too(self):
        server = self.serve("--no-worker")
        server.ask("POST", "/orders", ORDER)
        worker = self.work("--processor", "simulate:0", "--admin-listen", "127.0.0.1:0",
                           ORDERPROC_BROKER=f"amqp://user:{SECRET}@{NOBODY}")
        server.wait_for(ORDER["order_id"], "COMPLETED")
        code, log = worker.stop()
        self.assertEqual(code, 0)
        self.assertIn("connection=wake_ups", log)
        self.assertNotIn(SECRET, log)

    def test_authorities_that_cannot_be_read_are_named(self):
        running = self.serve("--no-worker", "--broker", f"amqps://{NOBODY}", "--broker-ca",
                             "/nonexistent/ca.pem")
        self.assertIn("/nonexistent/ca.pem", self.degraded(running)[0])
        self.assertEqual(running.stop()[0], 0)


@unittest.skipUnless(rabbitmq_node.installed(), "no RabbitMQ")
class RealBroker(WithBrokerFile):
    @classmethod
    def setUpClass(cls):
        cls.node = rabbitmq_node.Node(tls=True)
        cls.addClassCleanup(cls.node.close)

    def ready(self, running):
        wait_until(lambda: 'orderproc_broker_connected{connection="relay"} 1' in running.fetch(
            "GET", "/metrics", headers={"Accept": "text/plain"})[2].splitlines(), "it is connected")
        self.assertEqual(running.ask("GET", "/readyz"), (200, {"status": "ready"}))
        code, log = running.stop()
        self.assertEqual(code, 0)
        self.assertIn("broker_connected", log)
        return log

    def test_who_is_not_let_in_hears_why(self):
        for who in (f"gudrun:{SECRET}", f"guest:{SECRET}"):
            running = self.serve("--no-worker",
                                 ORDERPROC_BROKER=f"amqp://{who}@127.0.0.1:{self.node.port}")
            reasons = self.degraded(running)
            self.assertIn("ACCESS_REFUSED", reasons[0])
            code, log = running.stop()
            self.assertEqual(code, 0)
            self.assertIn("ACCESS_REFUSED", log)
            for secret in (SECRET, "gudrun", "'guest'"):
                self.assertNotIn(secret, log + reasons[0])

    def test_the_password_of_the_file_opens_it(self):
        path = self.written(f"amqp://guest:guest@127.0.0.1:{self.node.port}\n")
        self.ready(self.serve("--no-worker", "--broker-file", path))

    @unittest.skipUnless(pika, "no python3-pika")
    def test_two_installations_share_a_broker(self):
        """Each has its own exchange, queues and source, and does not see the other's messages."""
        names = ("north", "south.shop")
        with contextlib.closing(pika.BlockingConnection(
                pika.ConnectionParameters("127.0.0.1", self.node.port, heartbeat=0))) as connection:
            channel = connection.channel()
            for name in names:
                channel.exchange_declare(f"{name}.events", "topic", durable=True)
                channel.queue_declare(f"{name}.heard", durable=True)
                channel.queue_bind(f"{name}.heard", f"{name}.events", "#")
            ids = {name: f"ORD-{name.upper()}" for name in names}
            for name in names:
                storage = ("--storage", f"sqlite:{self.folder.name}/{name}.db")
                broker = ("--broker", self.node.url, "--broker-prefix", name)
                server = self.start("serve", "--listen", "127.0.0.1:0", "--no-worker", *storage,
                                    *broker, "--event-source", f"/{name}")
                # Its sweep is too late: only a message can tell it of the order.
                self.start("work", *storage, *broker, "--processor", "simulate:0", "--poll-interval", "1h")
                wait_until(lambda: self.node.ctl("list_consumers").count(f"{name}.work"),
                           "the worker listens")
                status, _ = server.ask("POST", "/orders", {**ORDER, "order_id": ids[name]})
                self.assertEqual(status, 201)
                server.wait_for(ids[name], "COMPLETED")
            for name in names:
                events = []

                def complete(name=name, events=events):
                    _, properties, body = channel.basic_get(f"{name}.heard", auto_ack=True)
                    if body:
                        events.append((properties, json.loads(body)))
                    return any(it["data"]["event"] == "complete" for _, it in events)
                wait_until(complete, f"{name} hears of its order")
                self.assertEqual({it["source"] for _, it in events}, {f"/{name}"})
                self.assertEqual({it["subject"] for _, it in events}, {ids[name]})
            queues = self.node.ctl("list_queues", "name").split()
            for name in names:
                self.assertLessEqual({f"{name}.work", f"{name}.poison"}, set(queues))

    def test_tls_needs_an_authority_that_is_trusted(self):
        url = f"amqps://localhost:{self.node.tls_port}"
        running = self.serve("--no-worker", "--broker", url)
        self.assertIn("certificate", self.degraded(running)[0])
        self.assertEqual(running.stop()[0], 0)
        self.ready(self.serve("--no-worker", "--broker", url, "--broker-ca",
                              f"{self.node.folder}/ca.pem"))


if __name__ == "__main__":
    main()
