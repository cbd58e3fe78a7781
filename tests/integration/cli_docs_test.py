#!/usr/bin/env python3
"""docs/cli.md and --help say the same: no command, option or default is missing in either.

usage: cli_docs_test.py ORDERPROC_BINARY
"""

import functools
import os
import re
import unittest

from binary_support import main, run

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "cli.md")


@functools.cache
def help_of(*command):
    ended = run(*command, "--help")
    assert ended.returncode == 0, ended
    return ended.stdout


def part(text, title):
    """The lines under a heading of --help."""
    found = re.search(rf"^{title}:\n((?:  .*\n?)*)", text, re.M)
    return found[1] if found else ""


def commands_of(*command):
    return re.findall(r"^  ([\w-]+) ", part(help_of(*command), "Subcommands"), re.M)


def options_of(*command):
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", part(help_of(*command), "Options"), re.M))


def sections():
    """{heading of a command: its text}"""
    with open(DOCUMENT, encoding="utf-8") as file:
        parts = re.split(r"^##+ `orderproc ?([a-z -]*?)`.*\n", file.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def all_commands():
    for name in commands_of():
        inner = commands_of(name)
        yield (name,)
        for one in inner:
            yield (name, one)


class Documentation(unittest.TestCase):
    def test_each_command_has_its_section(self):
        self.assertEqual({" ".join(it) for it in all_commands()}, set(sections()))

    def test_options_are_those_of_help(self):
        known = sections()
        for command in all_commands():
            with self.subTest(command):
                text = known[" ".join(command)]
                shown = set(re.findall(r"^\| `(--[\w-]+)", text, re.M))
                self.assertEqual(shown, options_of(*command) - {"--help"})

    def test_defaults_are_those_of_help(self):
        known = sections()
        for command in all_commands():
            text = known[" ".join(command)]
            rows = re.findall(r"^\| `(--[\w-]+)[^|]*\| (?:`([^`]*)`)? *\|", text, re.M)
            found = dict(re.findall(r"^  (--[\w-]+) [^\n=]*=(\S+)", help_of(*command), re.M))
            for option, default in rows:
                with self.subTest(command=command, option=option):
                    self.assertEqual(default, found.get(option, ""))


if __name__ == "__main__":
    main()
