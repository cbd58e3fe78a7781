#!/usr/bin/env python3
"""The Python client against the real server.

usage: python_test.py ORDERPROC_BINARY
Exits 77 without httpx.
"""

import asyncio
import datetime
import http.server
import os
import pathlib
import signal
import subprocess
import sys
import threading
import unittest
import unittest.mock
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bindings/clients/python"
sys.path[:0] = [str(ROOT / "tests/integration"), str(PACKAGE)]

try:
    import httpx
except ImportError:
    print("httpx is not installed")
    sys.exit(77)

from binary_support import BINARY, Running, WithStorage, main, run, wait_until  # noqa: E402
from flaky_proxy import FlakyProxy  # noqa: E402
from orderproc_client import (ApiError, AsyncClient, Client, ConnectionFailedError, Event,  # noqa: E402
                              Reset, Retry, UnexpectedAnswerError, Webhook, WebhookError,
                              problems)
from orderproc_client._stream import Blocks  # noqa: E402

SOON = Retry(first_wait=0.01, longest_wait=5.0)
TOP = 2 ** 63 - 1


def order(name=None, **more):
    made = {"user_id": 7, "item_ids": [1, 1, 2], "total_amount": Decimal("149.90"), **more}
    return {"order_id": name, **made} if name else made


class Module:
    addCleanup = staticmethod(unittest.addModuleCleanup)


class Clients(WithStorage):
    shared = None  # a server for the tests that need no other

    def url(self):
        if Clients.shared is None:
            Clients.shared = Running(Module, BINARY, "serve", "--listen", "127.0.0.1:0",
                                     "--storage", "memory:", "--no-worker")
        return Clients.shared.url

    def client(self, url, **options):
        made = Client(url, **{"retry": SOON, "reconnect_wait": 0.02, **options})
        self.addCleanup(made.close)
        return made

    def behind_proxy(self):
        self.url()
        return FlakyProxy(self, ("127.0.0.1", Clients.shared.port))


class Orders(Clients):
    def test_an_order_from_its_creation_to_its_end(self):
        client = self.client(self.url())
        made = client.create_order(order("A-1", user_id=TOP, item_ids=[TOP, 1],
                                         metadata={"weight": Decimal("1.10"), "n": TOP}))
        self.assertEqual((made.order_id, made.status, made.version), ("A-1", "PENDING", 1))
        self.assertEqual((made.user_id, made.item_ids), (TOP, [TOP, 1]))
        self.assertEqual(str(made.total_amount), "149.90")
        self.assertEqual(str(made.metadata["weight"]), "1.10")
        self.assertEqual(made.metadata["n"], TOP)
        self.assertEqual(made.created_at.utcoffset(), datetime.timedelta(0))
        self.assertEqual(client.get_order("A-1"), made)

        edited = client.patch_order("A-1", {"total_amount": "150", "metadata": made.metadata},
                                    if_version=1)
        self.assertEqual((edited.total_amount, edited.version), (Decimal("150.00"), 2))
        self.assertEqual(edited.metadata, made.metadata)
        with self.assertRaises(problems.PreconditionFailedError) as refused:
            client.patch_order("A-1", {"total_amount": 1}, if_version=1)
        self.assertEqual((refused.exception.status, refused.exception.attempts), (412, 1))
        annotated = client.annotate_order("A-1", {"annotations": {"note": "at the door"}})
        self.assertEqual(annotated.annotations, {"note": "at the door"})
        replaced = client.replace_order("A-1", order())
        self.assertEqual((replaced.version, replaced.metadata), (4, {}))

        self.assertEqual(client.cancel_order("A-1").status, "CANCELLED")
        with self.assertRaises(problems.NotEditableError) as refused:
            client.patch_order("A-1", {"user_id": 1})
        self.assertEqual(refused.exception.problem.order_status, "CANCELLED")
        entries = list(client.iterate_history("A-1"))
        self.assertEqual([it.event for it in entries],
                         ["create", "edit", "annotate", "edit", "cancel"])
        self.assertEqual([it.from_ for it in entries][-1], "PENDING")
        then = client.get_order("A-1", at=entries[0].at)
        self.assertGreaterEqual(then.version, 1)
        self.assertIn(client.explain_order("A-1").state, ("settled", "dead"))
        self.assertIsNone(client.delete_order("A-1"))
        with self.assertRaises(problems.NotFoundError):
            client.get_order("A-1")

    def test_lists_go_on_from_page_to_page(self):
        client = self.client(self.url())
        names = [f"P-{n}" for n in range(7)]
        batch = client.create_orders([order(it, user_id=77) for it in names])
        self.assertEqual([it.status for it in batch.items], [201] * 7)
        listed = [it.order_id for it in client.iterate_orders(user_id=77, sort="created_at",
                                                              limit=2)]
        self.assertEqual(listed, names)
        page = client.list_orders(status=["pending", "failed"], user_id=77, total=True, limit=3)
        self.assertEqual((len(page.items), page.total.value), (3, 7))
        self.assertIsNotNone(page.next_cursor)
        since = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.assertEqual(client.list_orders(created_from=since).items, [])
        with self.assertRaises(ValueError):
            client.list_orders(created_from=datetime.datetime.now())
        pending = client.iterate_orders_by_status("pending", user_id=77, limit=5)
        self.assertEqual(len(list(pending)), 7)
        self.assertGreaterEqual(client.get_metrics().orders_by_status.pending, 7)
        self.assertEqual(client.get_health().status, "ok")
        self.assertIn("orders", client.get_model())

    def test_orders_of_a_batch_are_answered_in_their_places(self):
        client = self.client(self.url())
        answered = client.create_orders([order("B-1"), order("B-2", item_ids=[]), order("B-1")])
        self.assertEqual([it.status for it in answered.items], [201, 422, 409])
        self.assertEqual(answered.items[0].order.total_amount, Decimal("149.90"))
        self.assertEqual(answered.items[1].problem.errors[0].pointer, "#/item_ids")
        self.assertEqual(answered.items[2].problem.code, "order_exists")

    def test_ids_that_are_not_plain(self):
        client = self.client(self.url())
        for name in ("a/b", "..", "ü", "a?b"):
            with self.assertRaises(problems.NotFoundError):
                client.get_order(name)
        with self.assertRaises(ValueError):
            client.get_order("")


    def test_the_example_of_the_readme(self):
        url = self.serve("--processor", "simulate:10ms").url
        readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
        ended = subprocess.run([sys.executable, PACKAGE / "example.py", url], capture_output=True,
                               text=True, timeout=60, check=False,
                               env=dict(os.environ, PYTHONPATH=str(PACKAGE)))
        self.assertEqual(ended.stderr, "")
        self.assertIn("refused: transition_refused", ended.stdout)
        self.assertIn(f"{ended.stdout}```", readme)


class Refusals(Clients):
    def test_each_code_has_its_exception(self):
        client = self.client(self.url())
        with self.assertRaises(problems.ValidationError) as refused:
            client.create_order({"user_id": 0, "item_ids": [1], "total_amount": Decimal("1.001")})
        self.assertEqual({it.pointer: it.code for it in refused.exception.problem.errors},
                         {"#/user_id": "out_of_range", "#/total_amount": "too_many_decimals"})
        self.assertIn("#/user_id", str(refused.exception))
        with self.assertRaises(problems.InvalidParameterError) as refused:
            client.list_orders(status="nonsense")
        self.assertEqual(refused.exception.problem.parameter, "status")

    def test_credentials(self):
        made = run("keys", "create", "--name", "shop", "--scope", "orders:read", "--storage",
                   self.storage)
        url = self.serve("--no-worker").url
        key = made.stdout.strip()
        self.assertEqual(self.client(url, key=key).get_whoami().scopes, ["orders:read"])
        with self.assertRaises(problems.ForbiddenError):
            self.client(url, key=key).create_order(order())
        wrong = self.client(url, key=key[:-1] + ("a" if key[-1] != "a" else "b"))
        with self.assertRaises(problems.UnauthenticatedError) as refused:
            wrong.get_order("A")
        self.assertEqual(refused.exception.status, 401)
        self.assertNotIn(key[:-1], str(refused.exception))
        with self.assertRaises(problems.UnauthenticatedError):
            next(iter(wrong.stream_events()))

    def answered(self, status, fields, body):
        """A client of a server that always answers this, and how often it was asked."""
        asked = []

        def answer(request):
            asked.append(request)
            return httpx.Response(status, headers=fields, json=body)

        return self.client("http://127.0.0.1", transport=httpx.MockTransport(answer)), asked

    def test_a_server_that_is_unfit_says_so_at_once(self):
        client, asked = self.answered(503, {}, {"status": "unavailable", "codes": ["stopping"]})
        state = client.get_readiness()
        self.assertEqual((state.status, state.codes, state.http.status, len(asked)),
                         ("unavailable", ["stopping"], 503, 1))

    def test_problems_that_wait_and_problems_of_newer_servers(self):
        problem = {"type": "urn:orderproc:problem:overloaded", "title": "Overloaded", "status": 503,
                   "code": "overloaded", "request_id": "r-1"}
        fields = {"Content-Type": "application/problem+json", "Retry-After": "3600"}
        client, asked = self.answered(503, fields, problem)
        with self.assertRaises(problems.OverloadedError) as refused:
            client.create_order(order(), idempotency_key="k")
        error = refused.exception
        self.assertEqual((error.retry_after, error.idempotency_key, error.attempts, len(asked)),
                         (3600, "k", 1, 1))
        client, _ = self.answered(409, fields, {**problem, "status": 409, "code": "of_the_future"})
        with self.assertRaises(ApiError) as refused:
            client.create_order(order())
        self.assertIs(type(refused.exception), ApiError)
        self.assertEqual(refused.exception.code, "of_the_future")

    def test_answers_of_others(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        proxy.plan = [(404, {})]
        with self.assertRaises(UnexpectedAnswerError) as refused:
            client.get_order("A")
        self.assertEqual(refused.exception.status, 404)
        proxy.plan = [(200, {})]
        with self.assertRaises(UnexpectedAnswerError):
            client.get_order("A")


class Retries(Clients):
    def test_a_change_is_sent_again_with_its_key_and_done_once(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        proxy.plan = ["refuse", "lose", (503, {"Retry-After": "0"}), (429, {"Retry-After": "0"})]
        made = client.create_order(order("R-1"))
        self.assertTrue(made.http.replayed)
        keys = {fields["idempotency-key"] for _, _, fields in proxy.seen}
        self.assertEqual((len(proxy.seen), len(keys)), (5, 1))
        self.assertEqual(len(list(client.iterate_history("R-1"))), 1)
        proxy.seen.clear()
        client.create_order(order("R-2"))
        self.assertNotIn(proxy.seen[0][2]["idempotency-key"], keys)

    def test_the_wait_that_the_server_asks_for_is_kept(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        proxy.plan = [(429, {"Retry-After": "1"}), (503, {}), (504, {})]
        with unittest.mock.patch("orderproc_client._client.time.sleep") as sleep:
            client.list_orders()
        waits = [it.args[0] for it in sleep.call_args_list]
        self.assertEqual(waits[0], 1)
        for wait, most in zip(waits[1:], (0.02, 0.04), strict=True):
            self.assertTrue(most / 2 <= wait <= most, waits)
        proxy.plan = [(503, {"Retry-After": "3600"})]
        proxy.seen.clear()
        with self.assertRaises(UnexpectedAnswerError):
            client.list_orders()
        self.assertEqual(len(proxy.seen), 1)

    def test_what_cannot_be_repeated_is_not(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        for what in ("refuse", "lose", (503, {"Retry-After": "0"})):
            proxy.plan, proxy.seen[:] = [what], []
            with self.assertRaises((ConnectionFailedError, UnexpectedAnswerError)) as failed:
                client.pause_work({"reason": "a test"})
            self.assertEqual(failed.exception.attempts, 1)
            self.assertIsNone(failed.exception.idempotency_key)
            self.assertEqual(len(proxy.seen), 1)

    def test_who_gives_up_can_go_on_with_the_same_key(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        proxy.plan = ["lose"] * SOON.attempts
        with self.assertRaises(ConnectionFailedError) as failed:
            client.create_order(order("G-1"))
        self.assertEqual(failed.exception.attempts, SOON.attempts)
        key = failed.exception.idempotency_key
        made = client.create_order(order("G-1"), idempotency_key=key)
        self.assertTrue(made.http.replayed)
        with self.assertRaises(problems.IdempotencyMismatchError):
            client.create_order(order("G-2"), idempotency_key=key)


class Streams(Clients):
    def serve_behind(self, proxy=None):
        server = self.serve("--no-worker")
        if proxy is None:
            return server, FlakyProxy(self, ("127.0.0.1", server.port))
        proxy.target = ("127.0.0.1", server.port)
        return server, proxy

    def test_a_stream_goes_on_when_the_server_starts_again(self):
        server, proxy = self.serve_behind()
        client = self.client(proxy.url)
        client.create_order(order("S-0"))
        with client.stream_events(after="0") as stream:
            events = iter(stream)
            seen = [next(events)]
            for how in (signal.SIGKILL, signal.SIGTERM):
                client.create_order(order())
                seen.append(next(events))
                server.child.send_signal(how)
                server.child.wait()
                server, proxy = self.serve_behind(proxy)
                client.create_orders([order(), order()])
                seen += [next(events), next(events)]
            self.assertEqual(stream.position, seen[-1].id)
        journal = client.get_journal(after="0")
        self.assertEqual([it.id for it in seen], [it.id for it in journal.items])
        self.assertEqual(len(seen), 7)
        self.assertIsInstance(seen[0], Event)
        self.assertEqual(seen[0].data.order.total_amount, Decimal("149.90"))
        resumed = [fields["last-event-id"] for _, target, fields in proxy.seen
                   if target.startswith("/events") and "last-event-id" in fields]
        self.assertEqual(resumed[-1], seen[4].id)

    def test_a_position_of_another_journal_resets(self):
        client = self.client(self.url())
        client.create_order(order("S-1"))
        page = client.list_orders()
        with client.stream_events(after="12345-678") as stream:
            events = iter(stream)
            reset = next(events)
            self.assertIsInstance(reset, Reset)
            client.create_order(order("S-2"))
            following = next(events)
            while following.data.order_id != "S-2":
                following = next(events)
        with client.stream_events(after=page.http.feed_position, status=["pending"]) as stream:
            self.assertEqual(next(iter(stream)).id, following.id)

    def test_the_stream_of_an_order_ends_with_it(self):
        client = self.client(self.url())
        client.create_order(order("S-3"))
        client.cancel_order("S-3")
        events = list(client.stream_order_events("S-3"))
        self.assertEqual([it.data.event for it in events], ["create", "cancel"])
        with self.assertRaises(problems.NotFoundError):
            list(client.stream_order_events("S-4"))

    def test_a_stream_that_never_begins_fails(self):
        proxy = self.behind_proxy()
        client = self.client(proxy.url)
        proxy.plan = ["refuse"] * SOON.attempts
        with self.assertRaises(ConnectionFailedError):
            next(iter(client.stream_events()))
        self.assertEqual(len(proxy.seen), SOON.attempts)

    def test_blocks_in_any_pieces(self):
        text = ("\ufeffid: 1-2\r\ndata: a\r\ndata: b\r\n\r\n: comment\nretry: 5\nevent: reset\n"
                "data:c\n\ndata\r\rdata: lost").encode()
        wanted = [("1-2", "", "a\nb", None), (None, "reset", "c", 5), (None, "", "", None)]
        for size in range(1, len(text)):
            blocks = Blocks()
            found = [(it.id, it.event, it.data, it.retry)
                     for at in range(0, len(text), size) for it in blocks.feed(text[at:at + size])]
            self.assertEqual(found, wanted, size)


class Asyncio(Clients):
    def test_the_same_for_asyncio(self):
        proxy = self.behind_proxy()

        async def use():
            async with AsyncClient(proxy.url, retry=SOON, reconnect_wait=0.02) as client:
                proxy.plan = ["lose", (503, {"Retry-After": "0"})]
                made = await client.create_order(order("C-1"))
                self.assertTrue(made.http.replayed)
                some = [client.create_order(order(user_id=78)) for _ in range(5)]
                many = {it.order_id for it in await asyncio.gather(*some)}
                listed = [it.order_id async for it in client.iterate_orders(user_id=78, limit=2)]
                self.assertEqual((set(listed), len(listed)), (many, 5))
                with self.assertRaises(problems.NotFoundError):
                    await client.get_order("none")
                async with client.stream_events(after="0") as stream:
                    ids = [(await anext(aiter(stream))).id for _ in range(6)]
                journal = await client.get_journal(after="0", limit=6)
                self.assertEqual(ids, [it.id for it in journal.items])
                await client.cancel_order("C-1")
                ended = [it async for it in client.stream_order_events("C-1")]
                self.assertEqual(len(ended), 2)
                with self.assertRaises(problems.NotFoundError):
                    await anext(aiter(client.stream_order_events("none")))

        asyncio.run(asyncio.wait_for(use(), 60))


class Webhooks(Clients):
    def receiver(self):
        came = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1], came

    def refused(self, reason, webhook, headers, body, **more):
        with self.assertRaises(WebhookError) as failed:
            webhook.verify(headers, body, **more)
        self.assertEqual(failed.exception.reason, reason)

    def test_what_is_genuine_and_what_is_not(self):
        port, came = self.receiver()
        key = run("keys", "create", "--name", "hooks", "--scope", "webhooks,orders:write",
                  "--storage", self.storage).stdout.strip()
        client = self.client(self.serve(
            "--no-worker", "--insecure-secrets", "--webhook-allow", "127.0.0.0/8",
            "--webhook-allow-http", "--webhook-ports", str(port)).url, key=key)
        made = client.create_webhook({"url": f"http://127.0.0.1:{port}/"})
        client.create_order(order("W-1"))
        headers, body = wait_until(lambda: came and came[0], "the event came")
        webhook = Webhook(made.secret)
        message = webhook.verify(headers, body)
        self.assertEqual((message.event.data.order_id, message.event.data.order.total_amount),
                         ("W-1", Decimal("149.90")))
        self.assertTrue(message.id.endswith(made.id))
        sent = message.sent_at.timestamp()
        webhook.verify({k.upper(): v for k, v in headers.items()}, body, now=sent + 300)
        self.refused("timestamp", webhook, headers, body, now=sent + 301)
        self.refused("timestamp", webhook, headers, body, now=sent - 301)
        self.refused("signature", webhook, headers, body.replace(b"149.90", b"149.91"))
        self.refused("signature", webhook, {**headers, "webhook-id": "another"}, body)
        self.refused("signature", Webhook("whsec_" + "A" * 44), headers, body)
        self.refused("missing", webhook, {}, body)
        names = {it.lower(): it for it in headers}
        self.refused("missing", webhook, {**headers, names["webhook-timestamp"]: "soon"}, body)

        new = client.rotate_webhook(made.id)
        client.create_order(order("W-2"))
        headers, body = wait_until(lambda: len(came) > 1 and came[1], "the next one came")
        self.assertEqual(headers[names["webhook-signature"]].count("v1,"), 2)
        for one in (Webhook(made.secret), Webhook(new.secret), Webhook(new.secret, made.secret)):
            self.assertEqual(one.verify(headers, body).event.data.order_id, "W-2")
        client.test_webhook(made.id)
        headers, body = wait_until(lambda: len(came) > 2 and came[2], "the test came")
        self.assertIsNone(webhook.verify(headers, body).event)
        with self.assertRaises(ValueError) as failed:
            Webhook("whsec_!" + "A" * 40)
        self.assertNotIn("AAAA", str(failed.exception))


if __name__ == "__main__":
    main()
