#!/usr/bin/env python3
"""Behind a proxy that takes a prefix off the path, as nginx does with `location /api/`: whatever
leads somewhere (Location, Link, a redirect, the pages, the description) leads there for the
client, which knows the prefix, from a server that does not.

usage: prefix_test.py ORDERPROC_BINARY
"""

import http.client
import http.server
import json
import re
import threading
import urllib.parse

from binary_support import DEADLINE_S, ORDER, WithStorage, main

PREFIX = "/api"
ORIGIN = "https://orders.example"


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests below the prefix on without it, under the Host that the server knows."""

    protocol_version = "HTTP/1.1"
    upstream = None  # a port

    def pass_on(self):
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        size = int(self.headers.get("Content-Length", 0))
        host = f"127.0.0.1:{self.upstream}"
        fields = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        fields["X-Forwarded-Host"] = self.headers["Host"]
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=DEADLINE_S)
        try:
            connection.request(self.command, self.path[len(PREFIX):], self.rfile.read(size),
                               {**fields, "Host": host})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, *_):
        pass


class PrefixTest(WithStorage):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--no-worker", "--trusted-proxy", "127.0.0.1",
                                 "--insecure-no-auth")  # what a proxy passes on is never anonymous
        handler = type("Handler", (Proxy,), {"upstream": self.server.port})
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        proxy.daemon_threads = True
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        self.base = f"http://127.0.0.1:{proxy.server_address[1]}{PREFIX}/"

    def fetch(self, method, url, body=None, **fields):
        """Status, fields, text. Follows nothing."""
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE_S)
        try:
            connection.request(method, target, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def at(self, path):
        return urllib.parse.urljoin(self.base, path)

    def create(self, **changes):
        return self.fetch("POST", self.at("orders"), json.dumps({**ORDER, **changes}),
                          **{"Content-Type": "application/json"})

    def test_location_leads_to_the_order(self):
        status, fields, text = self.create()
        self.assertEqual(status, 201, text)
        made = urllib.parse.urljoin(self.at("orders"), fields["Location"])
        self.assertEqual(made, self.at("orders/ORD-A8F64D2E"))
        status, _, text = self.fetch("GET", made)
        self.assertEqual((status, json.loads(text)["order_id"]), (200, "ORD-A8F64D2E"))

    def test_links_lead_to_all_pages(self):
        for number in range(5):
            self.assertEqual(self.create(order_id=f"A-{number}")[0], 201)
        for start in ("orders?limit=2&user_id=123", "orders/status/pending?limit=2"):
            seen, url = [], self.at(start)
            while url:
                self.assertTrue(url.startswith(self.base), url)
                status, fields, text = self.fetch("GET", url)
                self.assertEqual(status, 200, text)
                seen += [it["order_id"] for it in json.loads(text)["items"]]
                link = re.fullmatch('<(.*)>; rel="next"', fields.get("Link", ""))
                url = urllib.parse.urljoin(url, link[1]) if link else None
            self.assertEqual(seen, [f"A-{number}" for number in (4, 3, 2, 1, 0)])

    def test_the_pages_and_the_description(self):
        docs = self.at("docs")
        for url in (self.base, docs):
            status, _, page = self.fetch("GET", url)
            self.assertEqual(status, 200)
            for reference in re.findall(r'(?:href|src)="([^"]+)"', page):
                status, _, _ = self.fetch("GET", urllib.parse.urljoin(url, reference))
                self.assertEqual(status, 200, reference)
        description = urllib.parse.urljoin(docs, "openapi.json")
        status, _, text = self.fetch("GET", description)
        self.assertEqual(status, 200)
        (server,) = json.loads(text)["servers"]
        # What tools do: the server's URL relative to the document, then the path behind it.
        root = urllib.parse.urljoin(description, server["url"]).rstrip("/")
        self.assertEqual(root + "/orders", self.at("orders"))
        self.assertEqual(self.fetch("GET", root + "/orders")[0], 200)

    def test_the_public_name_is_the_page_s_own(self):
        def cancel(**fields):
            return self.fetch("POST", self.at("orders/ORD-A8F64D2E/cancel"), **fields)

        self.assertEqual(self.create()[0], 201)
        status, _, text = cancel(Origin=ORIGIN, Host="elsewhere.example")
        self.assertEqual((status, json.loads(text)["code"]), (403, "cross_site"))
        self.assertEqual(cancel(Origin=ORIGIN, Host="orders.example")[0], 200)


if __name__ == "__main__":
    main()
