#!/usr/bin/env python3
"""Webhooks of a server at its edges: the keys of secrets, and who may be called. That events
arrive: tests/api/webhooks_test.mjs.

usage: webhook_server_test.py ORDERPROC_BINARY
"""

import base64
import json
import os
import stat

from binary_support import BINARY, WithStorage, main, run

KEY = base64.b64encode(b"0123456789" * 3 + b"01").decode()
OTHER = base64.b64encode(b"9876543210" * 3 + b"98").decode()


class Webhooks(WithStorage):
    def keys_file(self, text, mode=0o600):
        path = os.path.join(os.path.dirname(self.storage.removeprefix("sqlite:")), "secrets.key")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def api_key(self):
        made = run("keys", "create", "--name", "hooks", "--scope", "webhooks",
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

    def test_without_keys_of_secrets_there_are_none(self):
        key = self.api_key()
        running = self.serve()
        self.assertEqual(self.ask(running, key, "GET", "/webhooks")[0], 501)


if __name__ == "__main__":
    assert BINARY
    main()
