#!/usr/bin/env python3
"""A server on a network: clients in other languages over TLS, and the lines of docs/security.md,
run by a new user with a CA of one's own and a client on another machine (a network namespace).

usage: network_test.py ORDERPROC_BINARY
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import unittest

from binary_support import BINARY, DEADLINE_S, ORDER, Running, WithStorage, main, run
from tls_support import OPENSSL, Authority

HAS_TLS = "--tls-certificate" in run("serve", "--help").stdout
CURL = shutil.which("curl")
NODE = shutil.which("node")
DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "security.md")

try:
    import httpx
except ImportError:
    httpx = None

NODE_PROGRAM = """
const [url, key, order] = process.argv.slice(1);
const headers = {authorization: `Bearer ${key}`, 'content-type': 'application/json'};
const made = await fetch(`${url}/orders`, {method: 'POST', headers, body: order});
const events = await fetch(`${url}/orders/ORD-A8F64D2E/events`, {headers});
const reader = events.body.getReader();
let text = '';
while (!text.includes('order.create')) text += new TextDecoder().decode((await reader.read()).value);
await reader.cancel();
const anonymous = await fetch(`${url}/orders`);
const moved = await fetch(`${url}/orders/ORD-A8F64D2E/cancel`, {method: 'POST', headers});
console.log(JSON.stringify([made.status, events.status, anonymous.status, (await moved.json()).status]));
"""


def has_fetch():
    if not NODE:
        return False
    probe = subprocess.run([NODE, "-e", "fetch"], capture_output=True, check=False)
    return probe.returncode == 0


@unittest.skipUnless(HAS_TLS and OPENSSL, "built without TLS, or there is no openssl")
class Clients(WithStorage):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder.name)
        certificate, key = self.ca.issue("server")
        made = run("keys", "create", "--name", "shop", "--scope", "orders:read,orders:write",
                   "--storage", self.storage)
        self.token = made.stdout.strip()
        self.server = self.serve("--no-worker", "--tls-certificate", certificate, "--tls-key", key)
        self.url_of_server = f"https://localhost:{self.server.port}"

    @unittest.skipUnless(has_fetch(), "there is no Node with fetch")
    def test_node(self):
        def node(**environment):
            return subprocess.run(
                [NODE, "--input-type=module", "-e", NODE_PROGRAM, self.url_of_server, self.token,
                 json.dumps(ORDER)], capture_output=True, text=True, timeout=DEADLINE_S, check=False,
                env=dict(os.environ, **environment))
        ended = node(NODE_EXTRA_CA_CERTS=self.ca.certificate)
        self.assertEqual(ended.stdout.strip(), '[201,200,401,"CANCELLED"]', ended.stderr)
        self.assertNotEqual(node().returncode, 0)  # nobody vouches for the server

    @unittest.skipUnless(httpx, "there is no httpx (Debian: python3-httpx)")
    def test_httpx(self):
        with httpx.Client(base_url=self.url_of_server, verify=self.ca.certificate, timeout=DEADLINE_S,
                          headers={"Authorization": f"Bearer {self.token}"}) as client:
            self.assertEqual(client.post("/orders", json=ORDER).status_code, 201)
            self.assertEqual(client.get("/orders/ORD-A8F64D2E").json()["version"], 1)
            with client.stream("GET", "/events", params={"order_id": "ORD-A8F64D2E"}) as events:
                moved = client.post("/orders/ORD-A8F64D2E/cancel")
                self.assertEqual(moved.json()["status"], "CANCELLED")
                for line in events.iter_lines():
                    if "order.cancel" in line:
                        break
            big = client.get("/orders", params={"limit": 100})
            self.assertEqual((big.status_code, big.http_version), (200, "HTTP/1.1"))
            del client.headers["Authorization"]
            self.assertEqual(client.get("/orders").status_code, 401)
        with self.assertRaises(httpx.ConnectError):
            httpx.get(self.url_of_server + "/healthz")  # nobody vouches for the server


def lines_of_document():
    """What docs/security.md says to type: of all of its blocks, in their order."""
    with open(DOCUMENT, encoding="utf-8") as file:
        blocks = re.findall(r"^ *```console\n(.*?)```", file.read(), re.M | re.S)
    return [line.strip()[2:] for block in blocks for line in block.splitlines()
            if line.strip().startswith("$ ")]


class Machine:
    """A network namespace."""

    def __init__(self, test, name):
        self.name = name
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise unittest.SkipTest(f"ip netns is not permitted here: {made.stderr.strip()}")
        test.addCleanup(subprocess.run, ["ip", "netns", "del", name], check=False)
        self.call("ip", "link", "set", "lo", "up")

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def call(self, *words, **options):
        ended = subprocess.run(self.command(*words), capture_output=True, text=True, check=False,
                               timeout=DEADLINE_S, **options)
        if ended.returncode != 0:
            raise AssertionError(ended)
        return ended.stdout


@unittest.skipUnless(HAS_TLS and OPENSSL and CURL, "built without TLS, or no openssl or curl")
@unittest.skipUnless(shutil.which("ip"), "there is no ip (Debian: iproute2)")
class NewUser(WithStorage):
    """With another address than that of the document nothing would be the document's."""
    ADDRESS = "192.0.2.10"

    def setUp(self):
        super().setUp()
        names = [f"op-{os.getpid()}-{it}" for it in ("server", "client")]
        self.server, self.client = (Machine(self, it) for it in names)
        try:
            subprocess.run(["ip", "link", "add", "op0", "netns", names[0], "type", "veth", "peer",
                            "op0", "netns", names[1]], check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as failed:
            raise unittest.SkipTest(f"no veth here: {failed.stderr.strip()}") from failed
        for machine, address in ((self.server, self.ADDRESS), (self.client, "192.0.2.20")):
            machine.call("ip", "address", "add", f"{address}/24", "dev", "op0")
            machine.call("ip", "link", "set", "op0", "up")
        programs = f"{self.folder.name}/bin"
        os.mkdir(programs)
        os.symlink(os.path.abspath(BINARY), f"{programs}/orderproc")
        self.here = {"cwd": self.folder.name,
                     "env": dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}")}

    def shell(self, machine, line):
        return machine.call("sh", "-c", line, **self.here)

    def test_the_lines_of_the_document(self):
        lines = lines_of_document()
        def line(*words):
            found = [it for it in lines if all(word in it for word in words)]
            self.assertEqual(len(found), 1, words)
            return found[0]
        self.shell(self.server, line("orderproc keys create", "web-shop"))
        for it in (line("openssl req -x509"), line("openssl req -newkey"), line("subjectAltName"),
                   line("openssl x509 -req")):
            self.shell(self.server, it)
        serve = line("orderproc serve", "--tls-certificate")
        ask = line("curl --cacert")
        self.assertIn(self.ADDRESS, serve)
        running = Running(self, *self.server.command("env", "-C", self.folder.name,
                                                     f"PATH={self.here['env']['PATH']}",
                                                     "sh", "-c", f"exec {serve}"))
        self.assertTrue(running.ready_line.endswith(f"https://{self.ADDRESS}:8443"), running.ready_line)
        self.assertEqual(json.loads(self.shell(self.client, ask))["items"], [])
        make = ask.replace("/orders", "/orders --json '" + json.dumps(ORDER) + "'")
        self.assertEqual(json.loads(self.shell(self.client, make))["order_id"], ORDER["order_id"])
        # Without the key, without the CA, without TLS.
        asked = "curl --silent --show-error --output /dev/null --write-out '%{http_code}' "
        url = f"https://{self.ADDRESS}:8443/orders"
        self.assertEqual(self.shell(self.client, f"{asked} --cacert ca.pem {url}"), "401")
        with self.assertRaisesRegex(AssertionError, "returncode=60"):
            self.shell(self.client, asked + url)
        self.assertEqual(self.shell(self.client, asked + url.replace("https", "http")), "400")
        with contextlib.suppress(ProcessLookupError):
            self.assertEqual(running.stop()[0], 0)
        # Nobody listens there without a key: the storage of another folder has none.
        bare = self.shell(self.server, f"mkdir bare && cd bare && ! {serve.replace('orders.', '../orders.')} "
                                       "2>&1")
        self.assertIn("keys create", bare)


if __name__ == "__main__":
    main()
