#!/usr/bin/env python3
"""`orderproc completion bash`, loaded by a real bash, offers what --help lists.

usage: completion_test.py ORDERPROC_BINARY
"""

import re
import shlex
import subprocess
import tempfile
import unittest

from binary_support import DEADLINE_S, main, run
from cli_docs_test import all_commands, commands_of, options_of


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="orderproc-test-")
        cls.script = f"{cls.folder.name}/completion"
        ended = run("completion", "bash")
        assert ended.returncode == 0, ended
        with open(cls.script, "w", encoding="utf-8") as out:
            out.write(ended.stdout)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def bash(self, text):
        ended = subprocess.run(["bash", "--norc", "-u", "-c", text], capture_output=True, text=True,
                               timeout=DEADLINE_S, cwd=self.folder.name, check=False)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        return ended.stdout

    def offered(self, *words):
        """For the last of the words."""
        quoted = " ".join(shlex.quote(it) for it in ("orderproc", *words))
        return set(self.bash(f"source {self.script}; COMP_WORDS=({quoted}); "
                             f"COMP_CWORD={len(words)}; _orderproc; "
                             'printf "%s\\n" "${COMPREPLY[@]:-}"').split())

    def test_commands_are_those_of_help(self):
        self.assertEqual(self.offered(""), set(commands_of()))
        for command in commands_of():
            with self.subTest(command):
                self.assertEqual(self.offered(command, ""), set(commands_of(command)))

    def test_options_are_those_of_help(self):
        above = options_of() - {"--version"}
        for command in all_commands():
            with self.subTest(command):
                wanted = options_of(*command) | (options_of(*command[:1]) if command[1:] else set())
                offered = self.offered(*command, "--")
                self.assertEqual(wanted - offered, set())
                self.assertEqual(offered - wanted - above, {"--version"})

    def test_what_was_typed_counts(self):
        self.assertEqual(self.offered("ver"), {"verify"})
        self.assertEqual(self.offered("keys", "--as", "create", "ro"), {"rotate"})
        self.assertEqual(self.offered("keys", "--as", "=", "create", "ro"), {"rotate"})
        self.assertEqual(self.offered("verify", "--storage-s"), {"--storage-schema"})

    def test_an_option_of_a_few_values_offers_them(self):
        self.assertEqual(self.offered("serve", "--log", ""), {"text", "json"})
        self.assertEqual(self.offered("serve", "--log", "=", "j"), {"json"})
        self.assertEqual(self.offered("serve", "--log", "="), {"text", "json"})

    def test_names_of_files_are_left_to_bash(self):
        self.assertEqual(self.offered("serve", "--storage-file", ""), set())
        self.assertIn("-o default", self.bash(f"source {self.script}; complete -p orderproc"))

    def test_a_shell_has_to_be_named(self):
        self.assertEqual(run("completion").returncode, 2)
        self.assertEqual(run("completion", "csh").returncode, 2)

    def test_no_word_of_the_script_is_expanded(self):
        with open(self.script, encoding="utf-8") as file:
            echoes = re.findall(r'echo "(.*)" ;;', file.read())
        self.assertTrue(echoes)
        for it in echoes:
            self.assertRegex(it, r"^[\w. -]+$")


if __name__ == "__main__":
    main()
