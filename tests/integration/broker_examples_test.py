#!/usr/bin/env python3
"""The examples of the queue layer over a RabbitMQ of the test's own, the second one beside a server.

usage: broker_examples_test.py ORDERPROC_BINARY EXAMPLE_11 EXAMPLE_12

Exits with 77 where RabbitMQ is not installed.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rabbitmq_node  # noqa: E402
from binary_support import ORDER, WithStorage, main, wait_until  # noqa: E402

QUEUE_WITHOUT_ORDERS, ORDER_EVENTS = sys.argv[2:4]
DEADLINE_S = 240  # far above what is needed


class Examples(WithStorage):
    @classmethod
    def setUpClass(cls):
        cls.node = rabbitmq_node.Node()
        cls.addClassCleanup(cls.node.close)

    def ended(self, child):
        try:
            out, errors = child.communicate(timeout=DEADLINE_S)
        finally:
            child.kill()
        self.assertEqual((child.returncode, errors), (0, ""))
        return out.splitlines()

    def example(self, *command):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        return child

    def rows(self, *what):
        return [it.split("\t") for it in self.node.ctl(*what).splitlines()]

    def test_readings_arrive_and_none_is_left(self):
        lines = self.ended(self.example(QUEUE_WITHOUT_ORDERS, self.node.url))
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].startswith(f"1000 readings over {self.node.url}, "), lines[0])
        wait_until(lambda: ["example-11", "0"] in self.rows("list_queues", "name", "messages"),
                   "all of them are acknowledged", DEADLINE_S)

    def test_a_service_follows_the_orders_of_a_server(self):
        server = self.serve("--processor", "simulate:0", "--broker", self.node.url)
        follower = self.example(ORDER_EVENTS, self.node.url, "6")
        wait_until(lambda: ["example-12", "order.*"] in self.rows(
            "list_bindings", "destination_name", "routing_key"), "its queue is bound", DEADLINE_S)
        self.complete(server, "A", "B")
        lines = self.ended(follower)
        for order in ("A", "B"):
            self.assertEqual([it for it in lines if it.startswith(f"{order} ")],
                             [f"{order} is {it}" for it in ("PENDING", "PROCESSING", "COMPLETED")])
        # What happens while it is away waits for it.
        self.complete(server, "C")
        lines = self.ended(self.example(ORDER_EVENTS, self.node.url, "3"))
        self.assertEqual(lines, [f"C is {it}" for it in ("PENDING", "PROCESSING", "COMPLETED")])
        self.assertEqual(server.stop()[0], 0)

    def complete(self, server, *ids):
        for order_id in ids:
            self.assertEqual(server.ask("POST", "/orders", dict(ORDER, order_id=order_id))[0], 201)
        for order_id in ids:
            server.wait_for(order_id, "COMPLETED")


if __name__ == "__main__":
    if not rabbitmq_node.installed():
        sys.exit(rabbitmq_node.NOT_INSTALLED)
    main()
