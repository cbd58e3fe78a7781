#!/usr/bin/env python3
"""The example of a host's own transaction, on a PostgreSQL of the test's own.

usage: postgres_examples_test.py EXAMPLE_20

Exits with 77 where PostgreSQL's server is not installed.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_node  # noqa: E402

DEADLINE_S = 240  # far above what is needed


def main():
    if not postgres_node.programs():
        return postgres_node.NOT_INSTALLED
    with postgres_node.Node() as node:
        ended = subprocess.run([sys.argv[1], node.url], check=False, text=True, timeout=DEADLINE_S,
                               stdout=subprocess.PIPE)
        carts = node.sql("SELECT id, state FROM carts ORDER BY id").split()
        if (ended.returncode, ended.stdout) != (0, "ORD-C1 exists, ORD-C2 does not exist\n"):
            print(ended)
            return 1
        if carts != ["C1|ordered", "C2|open"]:
            print(carts)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
