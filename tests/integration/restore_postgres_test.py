#!/usr/bin/env python3
"""`orderproc backup` and `restore` where PostgreSQL makes and restores its backups itself.

usage: restore_postgres_test.py ORDERPROC_BINARY postgres
"""

import json
import re

from binary_support import main, wait_until
from storage_support import OnStorage, set_up_module as setUpModule  # noqa: F401
from storage_support import tear_down_module as tearDownModule  # noqa: F401
import storage_support


class OfDatabase(OnStorage):
    def test_backup_says_how_the_database_is_set_up(self):
        ended = self.ends_with(1, "backup", "--storage", self.storage)
        self.assertIn("pg_basebackup", ended.stdout)
        self.assertIn("log is archived: no; latest piece: never", ended.stdout)
        self.assertIn("archive_command", ended.stderr)
        found = self.object_of("backup", code=1)
        self.assertEqual((found["archives"], found["archived_at"], found["ok"]),
                         (False, None, False))
        self.ends_with(2, "backup", "--storage", self.storage, "copy.db")

    def test_backup_is_content_once_the_log_is_archived(self):
        node = storage_support.NODE
        node.sql("ALTER SYSTEM SET archive_mode TO on")
        node.sql("ALTER SYSTEM SET archive_command TO 'true'")
        self.addCleanup(self.restart, "ALTER SYSTEM RESET ALL")
        self.restart("SELECT 1")
        node.sql("SELECT pg_switch_wal()")

        def archived():
            found = json.loads(self.ends_with_any("backup", "--storage", self.storage, "--json"))
            return found if found["archived_at"] else None
        found = wait_until(archived, "a piece of the log is archived")
        self.assertTrue(found["ok"])
        self.ends_with(0, "backup", "--storage", self.storage)

    def ends_with_any(self, *command):
        return storage_support.run(*command).stdout

    def restart(self, first):
        node = storage_support.NODE
        node.sql(first)
        node.stop()
        node.start()

    def test_restore_makes_what_was_put_back_safe(self):
        log = f"{self.folder.name}/redactions"
        server = self.serve("--no-worker")
        for order in ("A", "C", "D"):
            self.create(server, order)
        self.settle(server, "A")
        server.stop()
        self.ends_with(0, "keys", "create", "--storage", self.storage, "--name", "shop",
                       "--scope", "orders:read")
        with open(log, "w", encoding="utf-8") as out:  # of what was redacted since the backup
            for order in ("A", "C", "gone"):
                out.write(json.dumps({"order_id": order, "at": "2026-06-15T14:23:11.000Z"}) + "\n")
        self.ends_with(2, "restore", "--storage", self.storage, "--redaction-log", log, "dump")
        self.ends_with(2, "restore", "--storage", self.storage)
        said = self.ends_with(0, "restore", "--check", "--storage", self.storage).stdout
        self.assertIn("ok: 3 orders, 2 of them unfinished", said)
        self.assertNotIn("key.disable", self.command("audit"))
        said = self.ends_with(0, "restore", "--storage", self.storage, "--redaction-log",
                              log).stdout
        self.assertEqual(re.findall(r"^unfinished: (\w+), PENDING", said, re.M), ["C", "D"])
        self.assertIn("not redacted: C was redacted", said)
        self.assertIn("1 orders redacted again; 1 keys disabled", said)
        audit = self.command("audit")
        self.assertIn("storage.restore", audit)
        found = self.ends_with(1, "doctor", "--storage", self.storage, "--only", "paused",
                               "--strict", "--json").stdout
        self.assertEqual(json.loads(found.splitlines()[0])["state"], "warning")
        self.command("verify")
        # Again: nothing is left to do.
        last = self.ends_with(0, "restore", "--storage", self.storage, "--no-redactions",
                              "--json").stdout.splitlines()[-1]
        self.assertEqual(json.loads(last)["keys_disabled"], 0)


if __name__ == "__main__":
    main()
