#!/usr/bin/env python3
"""Webhooks of a server at its edges: the keys of secrets, and who may be called. That events
arrive: tests/api/webhooks_test.mjs.

usage: webhook_server_test.py ORDERPROC_BINARY
"""

import base64
import http.server
import json
import os
import ssl
import stat
import threading
import unittest

from binary_support import BINARY, WithStorage, main, run, wait_until
from tls_support import OPENSSL, Authority

HAS_TLS = "--tls-certificate" in run("serve", "--help").stdout

KEY = base64.b64encode(b"0123456789" * 3 + b"01").decode()
OTHER = base64.b64encode(b"9876543210" * 3 + b"98").decode()


class Webhooks(WithStorage):
    def keys_file(self, text, mode=0o600):
        path = os.path.join(os.path.dirname(self.storage.removeprefix("sqlite:")), "secrets.key")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def api_key(self, scopes="webhooks"):
        made = run("keys", "create", "--name", "hooks", "--scope", scopes,
                   "--storage", self.storage)
        self.assertEqual(made.returncode, 0, made)
        return made.stdout.strip()

    def refused(self, *arguments):
        ended = run("serve", "--listen", "127.0.0.1:0", "--storage", self.storage, *arguments)
        self.assertEqual(ended.returncode, 2, ended)
        self.assertNotIn(KEY, ended.stderr)
        return ended.stderr

    @staticmethod
    def ask(running, key, method, target, body=None):
        status, _, text = running.fetch(
            method, target, json.dumps(body) if body is not None else None,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        return status, json.loads(text) if text else None

    def test_a_wrong_secrets_key_keeps_a_server_from_starting(self):
        key = self.api_key()
        file = self.keys_file(KEY)
        running = self.serve("--secrets-key-file", file)
        status, made = self.ask(running, key, "POST", "/webhooks", {"url": "https://shop.example/"})
        self.assertEqual(status, 201, made)
        self.assertEqual(running.stop()[0], 0)
        for arguments in ((), ("--insecure-secrets",)):
            self.assertRegex(self.refused(*arguments), made["id"] + r".*key [0-9a-f]{8}")
        self.keys_file(OTHER)
        self.assertRegex(self.refused("--secrets-key-file", file), made["id"] + r".*key [0-9a-f]{8}")
        # A new key in front: secrets are encrypted again, and the old one can go.
        self.keys_file(f"# since today\n{OTHER}\n{KEY}\n")
        self.assertEqual(self.serve("--secrets-key-file", file).stop()[0], 0)
        self.keys_file(OTHER)
        running = self.serve("--secrets-key-file", file)
        self.assertEqual(self.ask(running, key, "GET", f"/webhooks/{made['id']}")[0], 200)
        running.stop()
        with open(self.storage.removeprefix("sqlite:"), "rb") as database:
            self.assertNotIn(made["secret"].removeprefix("whsec_").encode(), database.read())

    def test_files_of_keys_that_do_not_do(self):
        self.assertIn("--secrets-key-file", self.refused("--secrets-key-file", "/nowhere"))
        self.assertIn("line 1", self.refused("--secrets-key-file", self.keys_file("x")))
        self.assertIn("no key", self.refused("--secrets-key-file", self.keys_file("# nothing\n")))
        readable = self.keys_file(KEY, 0o600 | stat.S_IROTH)
        self.assertIn("--secrets-key-file", self.refused("--secrets-key-file", readable))
        self.assertIn("--webhook-allow", self.refused("--insecure-secrets", "--webhook-allow", "x"))

    def test_who_may_be_called(self):
        key = self.api_key()
        plain = self.serve("--insecure-secrets")
        for url in ("http://shop.example/", "https://127.0.0.1/", "https://10.0.0.1/",
                    "https://169.254.169.254/", "https://localhost/", "https://shop.example:22/",
                    "https://user:pw@shop.example/", "ftp://shop.example/", "//shop.example"):
            status, body = self.ask(plain, key, "POST", "/webhooks", {"url": url})
            self.assertEqual((status, body["code"]), (422, "invalid_webhook"), url)
        status, made = self.ask(plain, key, "POST", "/webhooks", {"url": "https://shop.example/"})
        self.assertEqual(status, 201)
        status, _ = self.ask(plain, key, "PATCH", f"/webhooks/{made['id']}",
                             {"url": "https://127.0.0.1/"})
        self.assertEqual(status, 422)
        self.assertEqual(self.ask(plain, key, "DELETE", f"/webhooks/{made['id']}")[0], 204)
        plain.stop()
        wide = self.serve("--insecure-secrets", "--webhook-allow", "127.0.0.0/8",
                          "--webhook-allow-http", "--webhook-ports", "8443")
        status, _ = self.ask(wide, key, "POST", "/webhooks", {"url": "http://127.0.0.1:8443/"})
        self.assertEqual(status, 201)

    def receiver(self, authority=None, before_answer=lambda _: None):
        """Its port, and what came: (webhook-id, body). With an authority, it is behind TLS."""
        came = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came.append((self.headers["webhook-id"], body))
                before_answer(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # connections that fail are wanted
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.issue("hooks"))
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1], came

    def test_another_process_takes_over_from_one_that_was_killed(self):
        key = self.api_key("webhooks,orders:write,metrics")
        held, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def hold(body):
            if b"HELD" in body and not held.is_set():
                held.set()
                go_on.wait(60)

        port, came = self.receiver(before_answer=hold)
        options = ("--no-worker", "--insecure-secrets", "--webhook-allow", "127.0.0.0/8",
                   "--webhook-allow-http", "--webhook-ports", str(port))
        both = [self.serve(*options) for _ in range(2)]
        made = self.ask(both[0], key, "POST", "/webhooks", {"url": f"http://127.0.0.1:{port}/h"})[1]

        def post(to, name):
            order = {"order_id": name, "user_id": 7, "item_ids": [1], "total_amount": 1.5}
            self.assertEqual(self.ask(to, key, "POST", "/orders", order)[0], 201)

        def sends(one):
            status, _, text = one.fetch("GET", "/metrics", None, {
                "Authorization": f"Bearer {key}", "Accept": "text/plain"})
            self.assertEqual(status, 200)
            return f'cursor="webhook.{made["id"]}"' in text

        for number in range(20):
            post(both[number % 2], f"O-{number}")
        wait_until(lambda: len(came) >= 20, "what was created")
        self.assertEqual(len({it for it, _ in came}), 20)  # nobody else sends the same
        wait_until(lambda: any(sends(it) for it in both), "one sends")
        leader, other = both if sends(both[0]) else reversed(both)
        self.assertFalse(sends(other))
        post(other, "HELD")
        self.assertTrue(held.wait(60))
        leader.child.kill()
        leader.child.wait()
        for number in range(20, 40):
            post(other, f"O-{number}")
        wait_until(lambda: len({it for it, _ in came}) == 41 and
                   sum(b"HELD" in body for _, body in came) == 2, "all of it, from the other one")
        self.assertEqual(len(set(came)), 41)  # each id with the same bytes
        wait_until(lambda: sends(other), "the gauge")

    @unittest.skipUnless(HAS_TLS and OPENSSL, "no TLS")
    def test_certificates_are_of_an_authority_that_was_named(self):
        key = self.api_key()
        folder = os.path.dirname(self.storage.removeprefix("sqlite:"))
        ours, theirs = Authority(folder), Authority(folder, "other")
        good, came_to_good = self.receiver(ours)
        bad, came_to_bad = self.receiver(theirs)
        options = ("--insecure-secrets", "--webhook-allow", "127.0.0.0/8", "--webhook-ports",
                   f"{good},{bad}")
        running = self.serve(*options, "--webhook-ca", ours.certificate)
        for port, result in ((good, "delivered"), (bad, "failed")):
            made = self.ask(running, key, "POST", "/webhooks",
                            {"url": f"https://127.0.0.1:{port}/h"})[1]
            self.assertEqual(
                self.ask(running, key, "POST", f"/webhooks/{made['id']}/test")[0], 202)
            attempts = f"/webhooks/{made['id']}/attempts"
            items = wait_until(lambda: self.ask(running, key, "GET", attempts)[1]["items"],
                               "an attempt")
            self.assertEqual(items[0]["result"], result)
        self.assertEqual((len(came_to_good), came_to_bad), (1, []))
        running.stop()
        self.assertIn("--webhook-ca", self.refused(*options, "--webhook-ca", "/nowhere"))

    def test_without_keys_of_secrets_there_are_none(self):
        key = self.api_key()
        running = self.serve()
        self.assertEqual(self.ask(running, key, "GET", "/webhooks")[0], 501)


if __name__ == "__main__":
    assert BINARY
    main()
