#!/usr/bin/env python3
"""Requests that `orderproc` sends: work and item checks over https, whom it believes, and what it
tells whom about itself.

usage: outgoing_test.py ORDERPROC_BINARY
"""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import ssl
import threading
import time
import unittest

from binary_support import ORDER, WithStorage, main, run, wait_until
from tls_support import OPENSSL, Authority, self_signed

HAS_TLS = "--http-ca" in run("serve", "--help").stdout
SECRET = "tOpSeCrEt"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICKLY = ("--attempts", "2", "--retry-base", "10ms", "--poll-interval", "50ms")


class Shop:
    """Another server, over TLS with these files or else in clear; what it was asked is in `asked`."""

    def __init__(self, test, files=None, client_ca=None, answer=None):
        self.asked = []
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.asked.append((self.path, body, self.headers))
                if answer:
                    return answer(self)
                text = json.dumps({"unknown": []}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # clients that do not believe us

            def finish_request(self, request, address):
                if context:  # here, since a handshake may take its time
                    request = context.wrap_socket(request, server_side=True)
                with contextlib.suppress(OSError):
                    super().finish_request(request, address)
                if context:
                    with contextlib.suppress(OSError):
                        request.unwrap()
                    request.close()

        context = None
        if files:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        test.addCleanup(self.stop)
        scheme = "https" if files else "http"
        self.origin = f"{scheme}://localhost:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@unittest.skipUnless(HAS_TLS and OPENSSL, "built without TLS, or there is no openssl")
class Outgoing(WithStorage):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder.name)
        self.good = self.ca.issue("server")
        self.trust = ("--http-ca", self.ca.certificate)

    def write(self, text, mode=0o600, name="credentials"):
        path = f"{self.folder.name}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def outcome(self, *options, status="COMPLETED", **environment):
        """The order, once a server with these options has done with it."""
        running = self.serve(*QUICKLY, *options, **environment)
        order_id = f"ORD-{time.monotonic_ns()}"
        made, text = running.ask("POST", "/orders", dict(ORDER, order_id=order_id))
        self.assertEqual(made, 201, text)
        done = running.wait_for(order_id, status)
        running.stop()
        return done

    def test_work_and_item_checks_over_https(self):
        shop = Shop(self, self.good)
        done = self.outcome("--processor", f"{shop.origin}/work", "--items", f"{shop.origin}/items",
                            *self.trust)
        self.assertEqual([path for path, *_ in shop.asked], ["/items", "/work"])
        self.assertEqual(json.loads(shop.asked[0][1]), {"item_ids": ORDER["item_ids"]})
        self.assertEqual(json.loads(shop.asked[1][1])["order_id"], done["order_id"])
        self.assertEqual(shop.asked[1][2]["Idempotency-Key"], f"{done['order_id']}/PROCESSING")
        for field in ("Authorization", "webhook-id", "Cookie"):
            self.assertIsNone(shop.asked[1][2][field])

    def test_servers_that_are_not_believed(self):
        other = Authority(self.folder.name, "other")
        rows = ((other.issue("of-another"), "unable to get local issuer certificate"),
                (self.ca.issue("elsewhere", names="DNS:shop.example"), "hostname mismatch"),
                (self.ca.issue("localhost", names=None), "hostname mismatch"),
                (self.ca.issue("ended", days="-1"), "certificate has expired"),
                (self_signed(self.folder.name, "self"), "self-signed certificate"))
        for files, reason in rows:
            with self.subTest(reason):
                shop = Shop(self, files)
                failed = self.outcome("--processor", f"{shop.origin}/work", *self.trust,
                                      status="FAILED")
                self.assertIn(f"the server's certificate was not accepted: {reason}",
                              failed["last_error"])
                running = self.serve("--no-worker", "--items", f"{shop.origin}/items", *self.trust)
                status, problem = running.ask("POST", "/orders", ORDER)
                self.assertEqual((status, problem["code"]), (503, "items_unavailable"))
                running.stop()
                self.assertEqual(shop.asked, [])
        shop = Shop(self, self.good)  # whom the system does not know
        self.outcome("--processor", f"{shop.origin}/work", status="FAILED")
        self.assertEqual(shop.asked, [])

    def test_a_server_that_ends_in_the_middle_of_a_body(self):
        def half(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "20")
            handler.end_headers()
            handler.wfile.write(b'{"unknown":')
            handler.close_connection = True

        shop = Shop(self, self.good, answer=half)
        running = self.serve("--no-worker", "--items", f"{shop.origin}/items", *self.trust)
        status, problem = running.ask("POST", "/orders", ORDER)
        self.assertEqual((status, problem["code"]), (503, "items_unavailable"))
        running.stop()
        self.outcome("--processor", f"{shop.origin}/work", *self.trust)  # the status suffices

    def test_a_server_that_asks_for_a_certificate(self):
        certificate, key = self.ca.issue("worker", usage="clientAuth")
        shop = Shop(self, self.good, client_ca=self.ca.certificate)
        work = ("--processor", f"{shop.origin}/work", *self.trust)
        self.outcome(*work, status="FAILED")
        self.assertEqual(shop.asked, [])
        self.outcome(*work, "--http-certificate", certificate, "--http-key", key)
        self.assertEqual(len(shop.asked), 1)
        os.chmod(key, 0o644)
        for options, word in ((("--http-certificate", certificate, "--http-key", key), "0644"),
                              (("--http-certificate", certificate), "--http-key"),
                              (("--http-ca", "/nowhere.pem"), "--http-ca: /nowhere.pem")):
            refused = run("serve", "--storage", self.storage, "--listen", "127.0.0.1:0", *options)
            self.assertEqual(refused.returncode, 2, refused)
            self.assertIn(word, refused.stderr)

    def test_each_server_gets_its_own_credentials(self):
        shop, items = Shop(self, self.good), Shop(self, self.good)
        other = f"https://localhost:1 Authorization: Bearer {SECRET}-other\n"
        file = self.write(f"# who gets what\n\n{other}"
                          f"{shop.origin}  Authorization:   Bearer {SECRET}\n"
                          f"{shop.origin}\tX-Shop: 7\r\n"
                          f"{items.origin.upper().replace('HTTPS', 'https')} X-API-Key: {SECRET}-2\n")
        options = ("--processor", f"{shop.origin}/work", "--items", f"{items.origin}/items",
                   "--http-credentials", file, *self.trust)
        done = self.outcome(*options)
        (_, _, fields), = shop.asked
        self.assertEqual((fields["Authorization"], fields["X-Shop"]), (f"Bearer {SECRET}", "7"))
        self.assertIsNone(fields["X-API-Key"])
        (_, _, fields), = items.asked
        self.assertEqual(fields["X-API-Key"], f"{SECRET}-2")
        self.assertIsNone(fields["Authorization"])
        self.assertNotIn(SECRET, json.dumps(done))

    def check_signature(self, asked, key, message_id):
        _, body, fields = asked
        self.assertEqual(fields["webhook-id"], message_id or fields["webhook-id"])
        self.assertLess(abs(int(fields["webhook-timestamp"]) - time.time()), 300)
        signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        self.assertIn(f"v1,{expected}", fields["webhook-signature"].split(" "))

    def test_requests_are_signed(self):
        shop = Shop(self, self.good)
        other = "whsec_" + base64.b64encode(b"k" * 32).decode()
        file = self.write(f"{shop.origin} {SIGNING}\n{shop.origin} {other}\n")
        running = self.serve("--processor", f"{shop.origin}/work", "--items",
                             f"{shop.origin}/items", "--http-credentials", file, *self.trust)
        self.assertEqual(running.ask("POST", "/orders", dict(ORDER, order_id="ORD.7"))[0], 201)
        wait_until(lambda: len(shop.asked) == 2, "the items are checked and the work is done")
        for asked, message_id in zip(shop.asked, (None, "ORD%2E7/PROCESSING")):
            self.check_signature(asked, base64.b64decode(SIGNING[6:]), message_id)
            self.check_signature(asked, b"k" * 32, message_id)
        running.stop()

    # Row 36 of the attacks, for addresses that the operator names.
    def test_no_redirect_takes_a_credential_elsewhere(self):
        elsewhere = Shop(self, self.good)

        def moved(handler):
            handler.send_response(307)
            handler.send_header("Location", f"{elsewhere.origin}/work")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        shop = Shop(self, self.good, answer=moved)
        file = self.write(f"{shop.origin} Authorization: Bearer {SECRET}\n")
        failed = self.outcome("--processor", f"{shop.origin}/work", "--http-credentials", file,
                              *self.trust, status="FAILED")
        self.assertIn("redirects are not followed", failed["last_error"])
        self.assertEqual(elsewhere.asked, [])

    def test_plain_http_carries_credentials_on_this_machine_alone(self):
        shop = Shop(self)
        file = self.write(f"{shop.origin} Authorization: Bearer {SECRET}\n")
        self.outcome("--processor", f"{shop.origin}/work", "--http-credentials", file)
        self.assertEqual(shop.asked[0][2]["Authorization"], f"Bearer {SECRET}")

    def test_files_that_do_not_do(self):
        good = f"https://h.example Authorization: Bearer {SECRET}\n"
        rows = ((f"http://h.example Authorization: Bearer {SECRET}", "line 1: plain http://"),
                (f"http://127.example {SIGNING}", "use https://"),
                (f"{good}\n# {SECRET}\nh.example X-Key: {SECRET}", "line 4: does not begin with"),
                (f"https://h.example/path X-Key: {SECRET}", "line 1: does not begin with"),
                (f"https://user:{SECRET}@h.example X-Key: 1", "line 1: does not begin with"),
                (f"https://h.example {SECRET}", "line 1: has neither"),
                ("https://h.example", "line 1: has neither"),
                (f"https://h.example X Key: {SECRET}", "line 1: has a header field"),
                (f"https://h.example X-Key: {SECRET}\x01", "line 1: has a header field"),
                ("https://h.example X-Key:", "line 1: has a header field"),
                (f"https://h.example Host: {SECRET}", "line 1: has a header field"),
                (f"https://h.example whsec_{SECRET}", "line 1: a webhook secret"))
        for text, word in rows:
            with self.subTest(text):
                refused = run("work", "--storage", self.storage, "--http-credentials",
                              self.write(text))
                self.assertEqual(refused.returncode, 2, refused)
                self.assertIn("--http-credentials: ", refused.stderr)
                self.assertIn(word, refused.stderr)
                self.assertNotIn(SECRET, refused.stderr)
        for path, word in ((self.write(good, 0o644), "0644"), ("/nowhere", "cannot be read")):
            refused = run("serve", "--storage", self.storage, "--http-credentials", path)
            self.assertEqual(refused.returncode, 2, refused)
            self.assertIn(word, refused.stderr)

    # Row 40 of the attacks, likewise.
    def test_the_environment_names_no_proxy(self):
        shop, proxy = Shop(self, self.good), Shop(self)
        names = {name: proxy.origin for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY",
                                                 "HTTP_PROXY", "http_proxy")}
        self.outcome("--processor", f"{shop.origin}/work", *self.trust, **names, NO_PROXY="")
        self.assertEqual((len(shop.asked), proxy.asked), (1, []))

    def test_the_order_commands_over_https(self):
        certificate, key = self.good
        running = self.serve("--no-worker", "--tls-certificate", certificate, "--tls-key", key)
        order = ("order", "--url", f"https://localhost:{running.port}")
        made = run(*order, *self.trust, "create", "--user", "1", "--item", "1", "--amount", "1.50",
                   "--id", "ORD-1")
        self.assertEqual(made.returncode, 0, made)
        listed = run(*order, *self.trust, "list")
        self.assertIn("ORD-1", listed.stdout)
        refused = run(*order, "list")
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("certificate was not accepted", refused.stderr)


if __name__ == "__main__":
    main()
