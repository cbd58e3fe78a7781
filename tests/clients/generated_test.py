#!/usr/bin/env python3
"""The clients are those of the server's description, and nothing that programs rely on has gone.

usage: generated_test.py ORDERPROC_BINARY [--record]

--record: writes the surface of now to surface.txt, instead of comparing it. Do it when the API has
grown, so that what is new is kept from now on; and when something was taken away on purpose, which
CHANGELOG.md has to say.
"""

import copy
import filecmp
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "bindings/clients"
SURFACE = pathlib.Path(__file__).with_name("surface.txt")
sys.path.insert(0, str(ROOT / "tests/integration"))

import surface  # noqa: E402
from binary_support import BINARY, DEADLINE_S, Running, main  # noqa: E402

# Files of the clients that the generator writes, by the directory of the client.
MADE = {"python": ["orderproc_client/_models.py", "orderproc_client/_operations.py",
                   "orderproc_client/_problems.py"],
        "typescript": ["src/models.ts", "src/operations.ts"]}

USE_OF_A_MODEL = """
import sys
from decimal import Decimal
from orderproc_client import Client
with Client(sys.argv[1]) as client:
    made = client.create_order({"user_id": "u-1", "tenant": "shop", "total_amount": "20.00",
                                "lines": [{"sku": "A", "quantity": 2, "unit_amount": "10.00"}],
                                "attributes": {"reference": "R-1", "channel": "web"}})
    assert made.lines[0].unit_amount == Decimal("10.00"), made
    assert made.attributes.reference == "R-1", made
    found = client.list_orders(attribute_reference="R-1")
    assert [it.order_id for it in found.items] == [made.order_id], found
"""


def document_of(running):
    return json.loads(running.fetch("GET", "/openapi.json")[2])


class Base(unittest.TestCase):
    def serve(self, *options):
        return Running(self, BINARY, "serve", "--listen", "127.0.0.1:0", "--storage", "memory:",
                       "--no-worker", *options)


class Generated(Base):
    def generate(self, document, into):
        file = into / "openapi.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        subprocess.run([sys.executable, CLIENTS / "generate.py", file, "--python", into / "python",
                        "--typescript", into / "typescript"], check=True, timeout=DEADLINE_S)

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="orderproc-generated-")
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def test_the_clients_are_what_the_generator_makes(self):
        self.generate(document_of(self.serve()), self.folder)
        for client, names in MADE.items():
            for name in names:
                made, kept = self.folder / client / name, CLIENTS / client / name
                self.assertTrue(
                    filecmp.cmp(made, kept, shallow=False),
                    f"bindings/clients/{client}/{name} is not what the server describes: "
                    "run bindings/clients/generate.py http://…/openapi.json with this server")

    def test_a_client_for_orders_of_another_model(self):
        running = self.serve("--model", str(ROOT / "docs/models/marketplace.json"))
        shutil.copytree(CLIENTS / "python", self.folder / "python")
        self.generate(document_of(running), self.folder)
        try:
            import httpx  # noqa: F401
        except ImportError:
            self.skipTest("httpx is not installed")
        subprocess.run([sys.executable, "-c", USE_OF_A_MODEL, running.url], check=True,
                       timeout=DEADLINE_S, cwd=self.folder / "python")

    def test_the_readmes_show_the_examples(self):
        for client, name, language in (("python", "example.py", "python"),
                                       ("typescript", "example.mjs", "js")):
            readme = (CLIENTS / client / "README.md").read_text(encoding="utf-8")
            example = (CLIENTS / client / name).read_text(encoding="utf-8")
            self.assertIn(f"\n```{language}\n{example}```\n", readme, client)

    def test_the_versions_are_the_server_s(self):
        version = document_of(self.serve())["info"]["version"].split("-")[0]
        project = (CLIENTS / "python/pyproject.toml").read_text(encoding="utf-8")
        self.assertIn(f'\nversion = "{version}"\n', project)
        for name in ("package.json", "package-lock.json"):
            package = json.loads((CLIENTS / "typescript" / name).read_text(encoding="utf-8"))
            self.assertEqual(package["version"], version, name)


class Surface(Base):
    def test_nothing_has_gone(self):
        recorded = surface.Recorded(SURFACE.read_text(encoding="utf-8"))
        missed = surface.compare(recorded, surface.Surface(document_of(self.serve())))
        self.assertEqual(missed, [], "see generated_test.py --record")

    def test_what_has_gone_is_found(self):
        document = document_of(self.serve())
        recorded = surface.Recorded(surface.write(surface.Surface(document)))
        self.assertEqual(surface.compare(recorded, surface.Surface(document)), [])
        schemas = document["components"]["schemas"]

        def without(change, wanted):
            changed = copy.deepcopy(document)
            change(changed)
            found = surface.compare(recorded, surface.Surface(changed))
            self.assertIn(wanted, found)

        self.assertIn("currency", schemas["Order"]["properties"])
        without(lambda it: it["paths"].pop("/journal"), "gone: route GET /journal get_journal")
        without(lambda it: it["components"]["schemas"]["Order"]["properties"].pop("currency"),
                "gone: type Order.currency")
        without(lambda it: it["components"]["schemas"]["Order"]["required"].remove("currency"),
                "gone: type Order.currency always")
        without(lambda it: it["components"]["schemas"]["NewOrder"]["required"].append("currency"),
                "must be sent now: type NewOrder.currency always")
        without(lambda it: it["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
                .remove("not_found"), "gone: type Problem.code = not_found")
        without(lambda it: it["paths"]["/orders"]["get"]["parameters"].pop(0),
                "gone: parameter GET /orders query status")
        without(lambda it: it["components"]["schemas"]["Order"]["properties"]["attempts"].update(
            type="string"), "gone: type Order.attempts: integer")


def record():
    class Nothing(unittest.TestCase):
        pass

    test = Nothing()
    try:
        running = Base.serve(test)
        SURFACE.write_text(surface.write(surface.Surface(document_of(running))), encoding="utf-8")
    finally:
        test.doCleanups()


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    else:
        main()
