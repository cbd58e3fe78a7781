#!/usr/bin/env python3
"""Keys of an issuer over https: from a real server, and from such as misbehave.

usage: jwt_https_test.py ORDERPROC_BINARY
"""

import http.server
import json
import ssl
import threading
import unittest

from binary_support import WithStorage, main, run
from jwt_support import OPENSSL, SigningKey
from tls_support import Authority

HELP = run("serve", "--help").stdout
HAS_BOTH = "--jwt-issuer" in HELP and "--tls-certificate" in HELP


class Provider:
    """An identity provider's server: `answer` says what it does with a request."""

    def __init__(self, test, certificate, key):
        self.asked = []
        self.answer = None
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                try:
                    provider.answer(self)
                except OSError:  # the client has had enough
                    self.close_connection = True

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # handshakes that fail are wanted
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    @property
    def port(self):
        return self.server.server_address[1]


def says(body, status=200, **fields):
    def answer(handler):
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return answer


def never_ends(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def says_nothing(stop):
    def answer(_):
        stop.wait()
    return answer


@unittest.skipUnless(HAS_BOTH and OPENSSL, "built without tokens or TLS, or there is no openssl")
class KeysOverHttps(WithStorage):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder.name)
        self.key = SigningKey(self.folder.name, "first")
        self.good = json.dumps({"keys": [self.key.jwk()]}).encode()
        self.provider = Provider(self, *self.ca.issue("server"))
        self.provider.answer = says(self.good)

    def serve_with(self, host="localhost", *more):
        return self.serve("--no-worker", "--jwt-issuer", "https://id.example", "--jwt-audience",
                          "orderproc", "--jwt-keys", f"https://{host}:{self.provider.port}/jwks.json",
                          "--jwt-ca", self.ca.certificate, *(more or ("--jwt-allow-private",)))

    def status(self, running, token):
        return running.fetch("GET", "/orders", headers={"Authorization": f"Bearer {token}"})[0]

    def refuses(self, running, word=""):
        line = running.read_line_of_log()
        self.assertIn("token_keys_not_taken", line)
        self.assertIn(word, line)
        self.assertEqual(self.status(running, self.key.token()), 503)
        self.assertEqual(running.fetch("GET", "/healthz")[0], 200)
        self.assertEqual(running.stop()[0], 0)

    def test_keys_are_fetched_once(self):
        running = self.serve_with()
        self.assertIn("token_keys_taken", running.read_line_of_log())
        self.assertEqual(self.status(running, self.key.token()), 200)
        other = SigningKey(self.folder.name, "other")
        for _ in range(30):  # less than half a minute after the start nobody is asked again
            self.assertEqual(self.status(running, other.token()), 401)
        self.assertEqual(self.provider.asked, ["/jwks.json"])

    # Row 22 of the attacks.
    def test_a_provider_that_misbehaves(self):
        stop = threading.Event()
        self.addCleanup(stop.set)
        elsewhere = f"https://localhost:{self.provider.port}/elsewhere"
        for name, answer in (
                ("more than it may", says(self.good + b" " * 300_000)),
                ("never ends", never_ends), ("says nothing", says_nothing(stop)),
                ("no JSON", says(b"<html>")), ("404", says(self.good, 404)),
                ("a secret", says(b'{"keys":[{"kty":"oct","k":"AA","kid":"first"}]}')),
                ("a redirect", says(self.good, 302, Location=elsewhere)),
                ("a permanent redirect", says(self.good, 308, Location=elsewhere))):
            with self.subTest(name):
                self.provider.asked.clear()
                self.provider.answer = answer
                self.refuses(self.serve_with())
                self.assertEqual(self.provider.asked, ["/jwks.json"])

    def test_a_provider_whose_certificate_is_anothers(self):
        other = Authority(self.folder.name, "other-ca")
        self.provider = Provider(self, *other.issue("other"))
        self.provider.answer = says(self.good)
        self.refuses(self.serve_with())
        self.provider = Provider(self, *self.ca.issue("named", names="DNS:other.example"))
        self.provider.answer = says(self.good)
        self.refuses(self.serve_with())
        self.assertEqual(self.provider.asked, [])

    def test_an_address_that_is_not_public(self):
        for host, word in (("localhost", "localhost"), ("127.0.0.1", "not allowed")):
            ended = run("serve", "--storage", self.storage, "--no-worker", "--jwt-issuer",
                        "https://id.example", "--jwt-audience", "orderproc", "--jwt-keys",
                        f"https://{host}:{self.provider.port}/jwks.json")
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn(word, ended.stderr)
            self.assertIn("--jwt-allow-private", ended.stderr)
        self.assertEqual(self.provider.asked, [])

    def test_keys_by_the_authorities_of_the_system(self):
        running = self.serve("--no-worker", "--jwt-issuer", "https://id.example", "--jwt-audience",
                             "orderproc", "--jwt-allow-private", "--jwt-keys",
                             f"https://localhost:{self.provider.port}/jwks.json",
                             SSL_CERT_FILE=self.ca.certificate)
        self.assertEqual(self.status(running, self.key.token()), 200)

    def test_what_is_refused(self):
        ended = run("serve", "--storage", self.storage, "--no-worker", "--jwt-issuer",
                    "https://id.example", "--jwt-audience", "orderproc", "--jwt-keys",
                    "https://id.example/keys", "--jwt-ca", "/nowhere.pem")
        self.assertEqual(ended.returncode, 2, ended)
        self.assertIn("--jwt-ca", ended.stderr)


if __name__ == "__main__":
    main()
