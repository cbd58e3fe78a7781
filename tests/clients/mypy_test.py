#!/usr/bin/env python3
"""The Python client and a use of it, as mypy judges them.

usage: mypy_test.py CACHE_DIRECTORY
Exits 77 without mypy or httpx.
"""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

try:
    import httpx  # noqa: F401
    import mypy  # noqa: F401
except ImportError as missing:
    print(missing)
    sys.exit(77)

os.environ["MYPYPATH"] = os.pathsep.join(
    [str(ROOT / "bindings/clients/python"), str(ROOT / "bindings/clients")])
os.execv(sys.executable, [
    sys.executable, "-m", "mypy", "--strict", "--cache-dir", sys.argv[1],
    *(str(ROOT / it) for it in (
        "bindings/clients/python/orderproc_client", "bindings/clients/generate.py",
        "bindings/clients/python/example.py", "tests/clients/typed_use.py"))])
