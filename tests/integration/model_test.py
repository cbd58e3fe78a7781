#!/usr/bin/env python3
"""Shops with order models of their own: the examples of docs/models from their file to the end of
an order, and what becomes of a model that changes.

usage: model_test.py ORDERPROC_BINARY
"""

import json
import os

from binary_support import WithStorage, main, run

MODELS = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "models")
LINE = {"sku": "TEE-S", "quantity": 2, "unit_amount": 19.90}


def text_of(name):
    with open(os.path.join(MODELS, f"{name}.json"), encoding="utf-8") as file:
        return file.read()


def example(name):
    return json.loads(text_of(name))


class Models(WithStorage):
    def write(self, model, name="model.json"):
        """The path of a file that holds the model."""
        path = f"{self.folder.name}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(model if isinstance(model, str) else json.dumps(model))
        return path

    def serve_model(self, name, *arguments):
        return self.serve("--model", self.write(text_of(name)), *arguments)

    def order(self, server, *arguments, code=0):
        ended = run("order", *arguments, ORDERPROC_URL=server.url)
        self.assertEqual(ended.returncode, code, ended)
        return ended

    def refused(self, *arguments, code=2):
        ended = run(*arguments)
        self.assertEqual(ended.returncode, code, ended)
        return ended.stderr

    def assert_created(self, server, body, status=201):
        got, order = server.ask("POST", "/orders", body)
        self.assertEqual(got, status, order)
        return order


class Files(Models):
    def test_examples_are_files_and_print_as_they_are(self):
        for name in ("shop", "marketplace", "fulfilment"):
            with self.subTest(name):
                ended = run("model", "example", name)
                self.assertEqual((ended.returncode, ended.stdout), (0, text_of(name)))
                path = self.write(ended.stdout)
                self.assertEqual(run("model", "print", path).stdout, text_of(name))
                self.assertIn(": ok: ", run("model", "check", path).stdout)
        self.assertIn("marketplace", self.refused("model", "example", "nothing"))

    def test_the_standard_model_is_what_an_empty_one_says(self):
        path = self.write({})
        self.assertEqual(run("model", "print").stdout, run("model", "print", path).stdout)

    def test_all_that_is_wrong_is_told(self):
        wrong = self.write({"orders": {"items": "rows", "guests": 1}, "status": {}})
        for arguments in (["model", "check", wrong], ["model", "print", wrong],
                          ["serve", "--storage", "memory:", "--model", wrong],
                          ["work", "--storage", self.storage, "--model", wrong]):
            said = self.refused(*arguments)
            for pointer in ("#/orders/items", "#/orders/guests", "#/status"):
                self.assertIn(pointer, said)
        self.assertIn("line 1, column 2", self.refused("model", "check", self.write("{x")))
        self.assertIn("cannot be read", self.refused("model", "check", "/nowhere/model.json"))


class Shops(Models):
    def test_a_shop(self):
        server = self.serve_model("shop", "--processor", "simulate:0")
        self.assertEqual(server.fetch("GET", "/model")[2] + "\n", text_of("shop"))
        made = self.order(server, "create", "--id", "A/1", "--line", "TEE-S=2@19.90",
                          "--amount", "42.30", "--attribute", "reference=R-1",
                          "--attribute", "shipping=4.90", "--attribute", "discount=2.40").stdout
        self.assertIn("REFERENCE", made)
        watched = self.order(server, "watch", "A/1")
        self.assertIn("COMPLETED", watched.stdout)
        [found] = map(json.loads, self.order(server, "list", "--attribute", "reference=R-1",
                                             "--json").stdout.splitlines())
        self.assertEqual((found["order_id"], found["status"], found["user_id"]),
                         ("A/1", "COMPLETED", None))
        self.assertEqual(found["attributes"]["delivery"], "standard")  # by default
        # The total is that of the lines, and a reference is there once.
        body = {"lines": [LINE], "total_amount": 39.80}
        self.assert_created(server, {**body, "total_amount": 40}, 422)
        self.assert_created(server, {**body, "attributes": {"reference": "R-1"}}, 409)
        self.assert_created(server, {**body, "attributes": {"reference": "R-2"}})

    def test_a_marketplace_with_tenants(self):
        server = self.serve_model("marketplace", "--processor", "simulate:0")
        body = {"user_id": "anna", "lines": [LINE], "total_amount": 39.80,
                "attributes": {"reference": "R-1", "channel": "web"}}
        self.assert_created(server, body, 422)  # whose shop is it?
        north = self.assert_created(server, {**body, "tenant": "north"})
        south = self.assert_created(server, {**body, "tenant": "south"})
        self.assert_created(server, {**body, "tenant": "north"}, 409)
        for order in (north, south):
            self.assertEqual(server.wait_for(order["order_id"], "COMPLETED")["tenant"],
                             order["tenant"])
        rows = self.order(server, "list", "--tenant", "south", "--attribute", "channel=web").stdout
        heading, row = rows.splitlines()
        self.assertEqual(heading.split()[:3], ["ORDER", "STATUS", "TENANT"])
        self.assertEqual(row.split()[:3], [south["order_id"], "COMPLETED", "south"])

    def test_a_retry_resumes_at_the_stage_that_failed(self):
        # Shipping fails until somebody has made the file.
        ready = f"{self.folder.name}/ready"
        server = self.serve_model(
            "fulfilment", "--processor", "PACKING=simulate:0", "--processor",
            f"SHIPPING=exec:sh -c 'test -e {ready} || {{ echo no truck >&2; exit 1; }}'")
        made = self.order(server, "create", "--id", "A", "--user", "7", "--line", "TEE-S",
                          "--amount", "19.90", "--attribute", "warehouse=north").stdout
        self.assertIn("PAID", made)
        last = self.order(server, "watch", "A", code=1).stdout.splitlines()[-1]
        self.assertIn("SHIPPING_FAILED", last)
        self.assertIn("no truck", last)
        with open(ready, "w", encoding="utf-8"):
            pass
        self.order(server, "raise", "A", "retry_shipping")
        self.order(server, "watch", "A")
        events = [json.loads(it)["event"]
                  for it in self.order(server, "history", "A", "--json").stdout.splitlines()]
        self.assertEqual(events, ["create", "start_packing", "pack", "start_shipping",
                                  "fail_shipping", "retry_shipping", "start_shipping", "ship"])
        counts = server.ask("GET", "/metrics")[1]
        self.assertEqual(counts["orders_by_status"]["SHIPPED"], 1)
        self.assertIn('status="SHIPPING_FAILED"',
                      server.fetch("GET", "/metrics", headers={"Accept": "text/plain"})[2])
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)

    def test_stages_may_have_processes_of_their_own(self):
        server = self.serve_model("fulfilment", "--no-worker")
        self.assert_created(server, {"order_id": "A", "user_id": 7, "lines": [LINE],
                                     "total_amount": 39.80, "attributes": {"warehouse": "south"}})
        self.work("--processor", "PACKING=simulate:0")
        server.wait_for("A", "PACKED")
        self.work("--processor", "SHIPPING=simulate:0")
        server.wait_for("A", "SHIPPED")
        self.assertIn("name the stage", self.refused(
            "work", "--storage", self.storage, "--processor", "simulate:0"))


class Changes(Models):
    def models(self):
        """Three, each of which may follow the one before it."""
        first = example("fulfilment")
        first["orders"]["attributes"][0]["indexed"] = False
        second = example("fulfilment")
        third = example("fulfilment")
        third["orders"]["attributes"].append(
            {"name": "carrier", "type": "text", "slot": 4, "default": "post"})
        return first, second, third

    def body(self, order_id, **attributes):
        return {"order_id": order_id, "user_id": 7, "lines": [LINE], "total_amount": 39.80,
                "attributes": {"warehouse": "north", **attributes}}

    def test_a_storage_keeps_its_model(self):
        first, _, third = self.models()
        path = self.write(first)
        server = self.serve("--no-worker", "--model", path)
        text = server.fetch("GET", "/model")[2]
        self.assertEqual(server.stop()[0], 0)
        self.assertEqual(run("model", "print", path).stdout, text + "\n")
        self.assertEqual(run("model", "print", "--storage", self.storage).stdout, text + "\n")
        for arguments in ([], ["--model", path]):
            server = self.serve("--no-worker", *arguments)
            self.assertEqual(server.fetch("GET", "/model")[2], text)
            self.assertEqual(server.stop()[0], 0)
        said = self.refused("serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                            "--model", self.write(third, "third.json"))
        self.assertIn("carrier is new", said)
        self.assertIn("migrate", said)

    def test_a_storage_of_before_has_the_standard_model(self):
        server = self.serve("--no-worker")
        self.assert_created(server, {"user_id": 7, "item_ids": [1], "total_amount": 1})
        server.stop()
        said = self.refused("serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                            "--model", self.write(text_of("shop")))
        self.assertIn("under which it has orders", said)

    def test_a_process_meets_the_next_model(self):
        first, second, third = (self.write(it, f"{i}.json") for i, it in enumerate(self.models()))
        server = self.serve("--no-worker", "--model", first)
        for order_id in ("A", "B"):
            self.assert_created(server, self.body(order_id))
        self.assertIn("warehouse is indexed", run("migrate", "--storage", self.storage, "--model",
                                                  second, "--dry-run").stdout)
        done = run("migrate", "--storage", self.storage, "--model", second)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("warehouse is indexed", done.stdout)
        self.assertIn("2 orders were indexed", done.stdout)
        # The server has the old model until it writes.
        self.assert_created(server, self.body("C"))
        page = server.ask("GET", "/orders?attribute.warehouse=north")[1]
        self.assertEqual([it["order_id"] for it in page["items"]], ["C", "B", "A"])

        done = run("migrate", "--storage", self.storage, "--model", third)
        self.assertEqual(done.returncode, 0, done)
        made = self.assert_created(server, self.body("D"))
        self.assertEqual(made["attributes"]["carrier"], "post")
        self.assertIn("carrier", server.fetch("GET", "/model")[2])
        self.assert_created(server, self.body("E", carrier="rail"))
        self.assertIn("already", run("migrate", "--storage", self.storage, "--model", third).stdout)
        self.assertIn("carrier is gone", self.refused("migrate", "--storage", self.storage,
                                                      "--model", second))
        server.stop()
        self.assertEqual(run("verify", "--storage", self.storage).returncode, 0)


if __name__ == "__main__":
    main()
