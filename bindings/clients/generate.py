#!/usr/bin/env python3
"""Generates the clients of the HTTP API from the description that a server gives of itself.

usage: generate.py DOCUMENT [--python DIRECTORY] [--typescript DIRECTORY]

DOCUMENT is the URL of a server's /openapi.json, or a file with that document. Without a directory
both clients beside this script are generated. Only the files named _models.py, _operations.py and
_problems.py (models.ts, operations.ts) are written; the rest of a client is written by hand.

The clients in the repository describe orders of the standard model. To generate a client for orders
of another model, copy the directory of a client and name the copy here.
"""

import argparse
import json
import pathlib
import urllib.request

from generator import python, typescript
from generator.document import Document

HERE = pathlib.Path(__file__).resolve().parent


def read(source: str) -> Document:
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=60) as answer:
            return Document(json.load(answer))
    return Document(json.loads(pathlib.Path(source).read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Generates clients of the HTTP API.")
    parser.add_argument("document", help="URL or file of an /openapi.json")
    parser.add_argument("--python", type=pathlib.Path, help="directory of a Python client")
    parser.add_argument("--typescript", type=pathlib.Path, help="directory of a TypeScript client")
    given = parser.parse_args()
    if given.python is None and given.typescript is None:
        given.python = HERE / "python"
        given.typescript = HERE / "typescript"
    document = read(given.document)
    written = {}
    if given.python is not None:
        for name, text in python.generate(document).items():
            written[given.python / "orderproc_client" / name] = text
    if given.typescript is not None:
        for name, text in typescript.generate(document).items():
            written[given.typescript / "src" / name] = text
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
