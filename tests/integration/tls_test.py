#!/usr/bin/env python3
"""TLS of `orderproc serve`: what it speaks and refuses, certificates that are replaced while
clients are connected, and who may speak plain HTTP.

usage: tls_test.py ORDERPROC_BINARY
"""

import contextlib
import http.client
import json
import os
import resource
import select
import shutil
import socket
import ssl
import struct
import subprocess
import unittest

from binary_support import DEADLINE_S, ORDER, WithStorage, main, run
from tls_support import OPENSSL, Authority, openssl

HAS_TLS = "--tls-certificate" in run("serve", "--help").stdout
CURL = shutil.which("curl")


def client_hello(ciphers=(0x1301, 0xc02b), name=b"localhost", name_length=None):
    """As bytes: in as many records as it takes."""
    length = len(name) if name_length is None else name_length
    entry = b"\0" + struct.pack(">H", min(length, 65_000)) + name
    server_name = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    others = (b"\x00\x0a\x00\x04\x00\x02\x00\x17"  # P-256
              b"\x00\x0d\x00\x04\x00\x02\x04\x03"  # ECDSA with SHA-256
              b"\x00\x0b\x00\x02\x01\x00")
    extensions = server_name + others
    body = (b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">H", 2 * len(ciphers)) +
            b"".join(struct.pack(">H", it) for it in ciphers) + b"\x01\x00" +
            struct.pack(">H", len(extensions)) + extensions)
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    records = (message[i:i + 16_384] for i in range(0, len(message), 16_384))
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(it)) + it for it in records)


@unittest.skipUnless(HAS_TLS and OPENSSL, "built without TLS, or there is no openssl")
class Tls(WithStorage):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder.name)
        self.certificate, self.key = self.ca.issue("server")

    def serve_tls(self, *more, files=None):
        certificate, key = files or (self.certificate, self.key)
        return self.serve("--no-worker", "--tls-certificate", certificate, "--tls-key", key, *more)

    def context(self, **changes):
        out = ssl.create_default_context(cafile=self.ca.certificate)
        for name, value in changes.items():
            setattr(out, name, value)
        return out

    def connect(self, running, context=None, source="127.0.0.1"):
        raw = socket.create_connection(("127.0.0.1", running.port), DEADLINE_S, (source, 0))
        return (context or self.context()).wrap_socket(raw, server_hostname="localhost")

    def client(self, running, context=None):
        return http.client.HTTPSConnection("localhost", running.port, timeout=DEADLINE_S,
                                           context=context or self.context())

    def ask(self, client, method="GET", target="/healthz", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, target, body, headers)
        answer = client.getresponse()
        return answer.status, answer.read().decode()

    def get(self, running, **changes):
        with contextlib.closing(self.client(running, self.context(**changes))) as client:
            return self.ask(client)[0]

    def serial(self, running):
        with self.connect(running) as it:
            return it.getpeercert()["serialNumber"]

    def test_requests_and_streams(self):
        running = self.serve_tls()
        self.assertTrue(running.ready_line.endswith(f"https://127.0.0.1:{running.port}"),
                        running.ready_line)
        client = self.client(running)
        made = []
        for i in range(20):  # on one connection
            body = json.dumps(dict(ORDER, order_id=f"ORD-{i}", metadata={"x": "y" * (i * 700)}))
            status, text = self.ask(client, "POST", "/orders", body,
                                    Content_Type="application/json")
            self.assertEqual(status, 201, text)
            made.append(json.loads(text)["order_id"])
        status, text = self.ask(client, target="/orders?limit=100")
        self.assertEqual((status, len(json.loads(text)["items"])), (200, 20))
        self.assertGreater(len(text), 100_000)  # more than a record, or a write, takes
        stream = self.client(running)
        stream.request("GET", "/events")
        answer = stream.getresponse()
        self.assertIn(b"retry:", answer.readline())
        self.assertEqual(self.ask(client, "POST", "/orders/ORD-1/cancel")[0], 200)
        while b"order.cancel" not in answer.readline():
            pass
        stream.close()
        client.close()
        self.assertEqual(running.stop()[0], 0)

    @unittest.skipUnless(CURL, "there is no curl")
    def test_curl(self):
        running = self.serve_tls()
        url = f"https://localhost:{running.port}"
        curl = [CURL, "--silent", "--show-error", "--max-time", str(DEADLINE_S)]
        def ask(*more):
            return subprocess.run([*curl, *more], capture_output=True, text=True, check=False)
        self.assertEqual(ask("--cacert", self.ca.certificate, f"{url}/healthz").stdout,
                         '{"status":"ok"}')
        made = ask("--cacert", self.ca.certificate, "--json", json.dumps(ORDER), f"{url}/orders")
        self.assertEqual(json.loads(made.stdout)["order_id"], ORDER["order_id"])
        closing = ask("--cacert", self.ca.certificate, "-H", "Connection: close", "--http1.0",
                      "--no-alpn", f"{url}/orders")
        self.assertEqual(closing.returncode, 0, closing)  # a close_notify came
        self.assertEqual(ask(f"{url}/healthz").returncode, 60)  # nobody vouches for it

    # Row 25 of the attacks.
    def test_what_is_not_spoken(self):
        running = self.serve_tls()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.get(running, minimum_version=version, maximum_version=version), 200)
        def refused(context):
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                with self.connect(running, context) as it:
                    it.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    if not it.recv(1):
                        raise ConnectionResetError
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            old = self.context()
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            old.maximum_version = version
            refused(old)
        for weak in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"):
            context = self.context(maximum_version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(f"{weak}:@SECLEVEL=0")
            refused(context)
        other = self.context()
        other.set_alpn_protocols(["h2"])
        refused(other)
        fitting = self.context()
        fitting.set_alpn_protocols(["h2", "http/1.1"])
        with self.connect(running, fitting) as it:
            self.assertEqual(it.selected_alpn_protocol(), "http/1.1")
        self.assertEqual(self.get(running), 200)

    def test_hellos_that_nobody_should_accept(self):
        running = self.serve_tls()
        rows = {"RC4, export, CBC and no cipher at all": client_hello(ciphers=(5, 3, 0x2f, 0)),
                "a name of 64 KiB": client_hello(name=b"a" * 65_000),
                "a name with a length that lies": client_hello(name=b"a" * 300, name_length=3),
                "a heartbeat before the hello": b"\x18\x03\x02\x00\x03\x01\x40\x00",
                "a heartbeat behind the hello": client_hello() + b"\x18\x03\x03\x00\x03\x01\x40\x00",
                "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
                "an alert first": b"\x15\x03\x03\x00\x02\x02\x28"}
        for name, data in rows.items():
            with self.subTest(name):
                with socket.create_connection(("127.0.0.1", running.port), DEADLINE_S) as it:
                    said = b""
                    with contextlib.suppress(ConnectionError):
                        it.sendall(data)
                        while part := it.recv(65536):
                            said += part
                # No record of data: alerts, and what a handshake begins with. What is no record of
                # a handshake is taken for plain HTTP, and refused in clear.
                if data[:1] == b"\x16":
                    self.assertTrue(not said or said[:1] in b"\x15\x16", said[:10])
                else:
                    self.assertTrue(said.startswith(b"HTTP/1.1 400 "), said[:10])
                    self.assertEqual(said.count(b"HTTP/1.1"), 1)
        self.assertEqual(self.get(running), 200)

    @unittest.skipUnless(OPENSSL, "there is no openssl")
    def test_nobody_renegotiates(self):
        running = self.serve_tls()
        ended = subprocess.run([OPENSSL, "s_client", "-connect", f"localhost:{running.port}", "-tls1_2",
                                "-CAfile", self.ca.certificate], input="R\n", capture_output=True,
                               text=True, timeout=DEADLINE_S, check=False)
        self.assertIn("RENEGOTIATING", ended.stdout + ended.stderr)
        self.assertRegex(ended.stdout + ended.stderr, "(?i)no renegotiation|unexpected|eof|reset|alert")
        self.assertNotEqual(ended.returncode, 0)
        self.assertEqual(self.get(running), 200)

    def test_browsers_are_told_to_use_https_alone(self):
        name = "Strict-Transport-Security"
        running = self.serve_tls("--hsts", "31536000", "--http-from-proxy", "127.0.0.2")
        with contextlib.closing(self.client(running)) as client:
            for target, status in (("/healthz", 200), ("/orders/NONE", 404), ("/docs", 200)):
                client.request("GET", target)
                answer = client.getresponse()
                answer.read()
                self.assertEqual((answer.status, answer.getheader(name)), (status, "max-age=31536000"))
        plain = http.client.HTTPConnection("127.0.0.1", running.port, DEADLINE_S, ("127.0.0.2", 0))
        with contextlib.closing(plain):
            plain.request("GET", "/healthz")
            self.assertIsNone(plain.getresponse().getheader(name))
        with contextlib.closing(self.client(self.serve_tls())) as client:
            client.request("GET", "/healthz")
            self.assertIsNone(client.getresponse().getheader(name))
        refused = run("serve", "--storage", self.storage, "--no-worker", "--hsts", "60")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("--hsts", refused.stderr)

    def test_plain_http_is_answered_in_clear_once(self):
        running = self.serve_tls()
        with socket.create_connection(("127.0.0.1", running.port), DEADLINE_S) as it:
            it.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            said = b""
            while part := it.recv(4096):
                said += part
        self.assertTrue(said.startswith(b"HTTP/1.1 400 "), said)
        self.assertEqual(said.count(b"HTTP/1.1"), 1)
        self.assertIn(b"https", said)
        json.loads(said.split(b"\r\n\r\n", 1)[1])

    # Row 26 of the attacks.
    def test_half_handshakes_keep_nobody_out(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        count = 5000 if most > 6000 else 400
        running = self.serve_tls("--connections-per-address", "6000", "--connections", "6000",
                                 "--header-timeout", "1s")
        held = []
        for i in range(count):
            it = socket.create_connection(("127.0.0.1", running.port), DEADLINE_S)
            it.sendall(b"\x16\x03\x01\x02\x00\x01"[:1 + i % 6])
            held.append(it)
        self.assertEqual(self.get(running), 200)  # once some of them have had their time
        for it in held[:50]:  # the rest ends with a reset
            it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            it.close()
        self.assertEqual(self.get(running), 200)
        for it in held[50:]:
            self.assertEqual(it.recv(1), b"")
            it.close()
        self.assertEqual(self.get(running), 200)

    def test_resets_and_slow_bytes_harm_nobody(self):
        running = self.serve_tls("--header-timeout", "2s")
        hello = client_hello()
        def reset(it):
            it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            it.close()
        def raw():
            return socket.create_connection(("127.0.0.1", running.port), DEADLINE_S)
        for sent in (b"", hello[:1], hello[:20], hello):  # before, within and behind the hello
            it = raw()
            it.sendall(sent)
            if sent == hello:
                it.recv(1)  # the server has answered
            reset(it)
        for sent in (b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            it = self.connect(running)
            it.sendall(sent)
            if sent.endswith(b"\r\n\r\n"):
                it.recv(1)  # the answer is on its way
            reset(it)
        slow = raw()
        closed = False
        for byte in hello + bytes(100_000):  # one after the other, as long as the server listens
            with contextlib.suppress(ConnectionError):
                slow.sendall(bytes([byte]))
            if select.select([slow], [], [], 0.1)[0]:
                with contextlib.suppress(ConnectionError):
                    slow.recv(4096)
                closed = True
                break
        self.assertTrue(closed)
        self.assertEqual(self.get(running), 200)

    # Row 28 of the attacks.
    def test_a_request_in_records_of_one_byte(self):
        running = self.serve_tls()
        body = json.dumps(ORDER).encode()
        request = (b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
        with self.connect(running) as it:
            for byte in request:
                it.sendall(bytes([byte]))
            said = b""
            while part := it.recv(4096):
                said += part
        self.assertTrue(said.startswith(b"HTTP/1.1 201 "), said)
        smuggled = (b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
        with self.connect(running) as it:
            it.sendall(smuggled)
            said = b""
            while part := it.recv(4096):
                said += part
        self.assertTrue(said.startswith(b"HTTP/1.1 400 "), said)
        self.assertEqual(said.count(b"HTTP/1.1 "), 1)

    def test_clients_may_have_to_show_a_certificate(self):
        running = self.serve_tls("--tls-client-ca", self.ca.certificate)
        known = self.context()
        known.load_cert_chain(*self.ca.issue("client", usage="clientAuth"))
        with contextlib.closing(self.client(running, known)) as client:
            self.assertEqual(self.ask(client)[0], 200)
        stranger = self.context()
        stranger.load_cert_chain(*Authority(self.folder.name, "other").issue("stranger",
                                                                             usage="clientAuth"))
        server_only = self.context()
        server_only.load_cert_chain(*self.ca.issue("second", usage="serverAuth"))
        ended = self.context()
        ended.load_cert_chain(*self.ca.issue("old", days="-1", usage="clientAuth"))
        for context in (self.context(), stranger, server_only, ended):
            with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                with contextlib.closing(self.client(running, context)) as client:
                    self.ask(client)

    # Row 27 of the attacks.
    def test_a_certificate_is_replaced_without_dropping_anybody(self):
        live = (f"{self.folder.name}/live.pem", f"{self.folder.name}/live.key")
        def put(certificate, key):
            for source, target in zip((certificate, key), live):
                shutil.copy(source, target + ".new")
                os.rename(target + ".new", target)
        put(self.certificate, self.key)
        running = self.serve_tls("--idle-timeout", "10m", files=live)
        before = self.serial(running)
        kept = self.client(running)
        self.assertEqual(self.ask(kept)[0], 200)
        stream = self.client(running)
        stream.request("GET", "/events")
        events = stream.getresponse()
        self.assertIn(b"retry:", events.readline())
        other = self.ca.issue("other")
        ended = self.ca.issue("ended", days="-1")
        half = f"{self.folder.name}/half.pem"
        with open(other[0], encoding="ascii") as whole, open(half, "w", encoding="ascii") as file:
            file.write(whole.read()[:300])
        bad = ((self.certificate, other[1]), ended, ("/dev/null", self.key), (half, other[1]), None)
        for files in bad:
            if files:
                put(*files)
            else:
                os.remove(live[0])
            self.assertIn("certificate_not_taken", running.read_line_of_log())
            self.assertEqual(self.serial(running), before)
        metrics = self.ask(kept, target="/metrics", Accept="text/plain")[1]
        self.assertIn('orderproc_certificate_reloads_total{result="not_taken"} 5', metrics)
        self.assertIn('orderproc_certificate_reloads_total{result="taken"} 0', metrics)
        put(*other)
        self.assertIn("certificate_taken", running.read_line_of_log())
        self.assertNotEqual(self.serial(running), before)
        self.assertEqual(self.ask(kept, "POST", "/orders", json.dumps(ORDER),
                                  Content_Type="application/json")[0], 201)
        while b"order.create" not in events.readline():
            pass
        kept.close()
        stream.close()

    def test_files_that_do_not_do(self):
        other = self.ca.issue("other")
        readable = f"{self.folder.name}/readable.key"
        shutil.copy(self.key, readable)
        os.chmod(readable, 0o644)
        for certificate, key, word in ((self.certificate, other[1], "mismatch"),
                                       (self.certificate, readable, "0644"),
                                       (self.certificate, "/nowhere.key", "/nowhere.key"),
                                       ("/nowhere.pem", self.key, "/nowhere.pem"),
                                       (self.key, self.key, "--tls-certificate"),
                                       (*self.ca.issue("ended", days="-1"), "ended")):
            with self.subTest(word):
                refused = run("serve", "--storage", self.storage, "--tls-certificate", certificate,
                              "--tls-key", key)
                self.assertEqual(refused.returncode, 2, refused)
                self.assertIn(word, refused.stderr)
        refused = run("serve", "--storage", self.storage, "--tls-key", self.key)
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("--tls-certificate", refused.stderr)

    def test_a_key_with_a_passphrase(self):
        locked = f"{self.folder.name}/locked.key"
        openssl("ec", "-in", self.key, "-aes256", "-passout", "pass:open sesame", "-out", locked)
        os.chmod(locked, 0o600)
        word = f"{self.folder.name}/word"
        with open(word, "w", encoding="ascii") as file:
            file.write("open sesame\n")
        files = ("--tls-certificate", self.certificate, "--tls-key", locked)
        refused = run("serve", "--storage", self.storage, *files)
        self.assertEqual(refused.returncode, 2, refused)
        running = self.serve("--no-worker", *files, "--tls-key-password-file", word)
        self.assertEqual(self.get(running), 200)

    def test_beyond_this_machine_with_tls_and_a_key(self):
        made = run("keys", "create", "--name", "a", "--scope", "orders:read,metrics", "--storage",
                   self.storage)
        running = self.start("serve", "--listen", "0.0.0.0:0", "--storage", self.storage,
                             "--no-worker", "--tls-certificate", self.certificate, "--tls-key",
                             self.key, "--admin-listen", "0.0.0.0:0")
        with contextlib.closing(self.client(running)) as client:
            self.assertEqual(self.ask(client, target="/orders")[0], 401)
            key = f"Bearer {made.stdout.strip()}"
            self.assertEqual(self.ask(client, target="/orders", Authorization=key)[0], 200)

    def test_plain_http_from_proxies_alone(self):
        running = self.serve_tls("--http-from-proxy", "127.0.0.2/31")
        def plainly(port, source):
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, DEADLINE_S,
                                                               (source, 0))) as client:
                return self.ask(client)[0]
        self.assertEqual(plainly(running.port, "127.0.0.2"), 200)
        self.assertEqual(plainly(running.port, "127.0.0.3"), 200)
        self.assertEqual(plainly(running.port, "127.0.0.1"), 400)
        self.assertEqual(self.get(running), 200)
        plain = self.serve("--no-worker", "--http-from-proxy", "127.0.0.2")
        self.assertEqual(plainly(plain.port, "127.0.0.2"), 200)
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            plainly(plain.port, "127.0.0.1")
        refused = run("serve", "--storage", self.storage, "--http-from-proxy", "proxies")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("--http-from-proxy", refused.stderr)


if __name__ == "__main__":
    main()
