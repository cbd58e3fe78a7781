#!/usr/bin/env python3
"""`orderproc keys …` and servers that ask for keys: what is printed, what counts and until when,
who may listen where, and that no secret is left anywhere.

usage: keys_test.py ORDERPROC_BINARY
"""

import http.client
import json
import os
import re
import subprocess
import time

from binary_support import BINARY, DEADLINE_S, ORDER, WithStorage, main, run, wait_until

KEY = re.compile(r"op_[a-z0-9]{1,12}_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")
NOTICED_S = 2  # by which a change of a key counts everywhere


class Keys(WithStorage):
    def keys(self, *arguments, code=0, **environment):
        ended = run("keys", *arguments, "--storage", self.storage, **environment)
        self.assertEqual(ended.returncode, code, ended)
        return ended

    def create(self, name, scopes, *more):
        made = self.keys("create", "--name", name, "--scope", scopes, *more)
        self.assertTrue(KEY.fullmatch(made.stdout.strip()), made)
        return made.stdout.strip()

    def listed(self):
        return {it["id"]: it for it in map(json.loads, self.keys("list", "--json").stdout.splitlines())}

    @staticmethod
    def id_of(key):
        return key.split("_")[2]

    @staticmethod
    def status(running, key, target="/orders", method="GET", body=None, **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        return running.fetch(method, target, body, headers)[0]

    def test_the_last_use_of_a_key_is_listed(self):
        used = self.create("used", "orders:read,erase,orders:write")
        idle = self.create("idle", "orders:read")
        running = self.serve("--no-worker")
        self.assertEqual(self.status(running, used), 200)
        self.assertEqual(self.status(running, idle + "x"), 401)
        self.assertEqual(running.stop()[0], 0)  # what was not written yet is written at the end
        listed = self.listed()
        self.assertRegex(listed[self.id_of(used)]["last_used_at"], r"^\d{4}-\S+:00\.000Z$")
        self.assertNotIn("last_used_at", listed[self.id_of(idle)])
        self.assertIn("LAST USED", self.keys("list").stdout)

    def test_redactions_are_audited(self):
        key = self.create("privacy", "orders:read,orders:write,erase")
        running = self.serve("--no-worker")
        for order in ("A", "B"):
            self.assertEqual(self.status(running, key, "/orders", "POST", dict(ORDER, order_id=order)),
                             201)
            self.assertEqual(self.status(running, key, f"/orders/{order}/cancel", "POST"), 200)
        self.assertEqual(self.status(running, key, "/orders/A/redact", "POST"), 200)
        self.assertEqual(self.status(running, key, "/orders/NONE/redact", "POST"), 404)
        done = run("redact", "--storage", self.storage, "B", "--as", "Anna")
        self.assertEqual(done.returncode, 0, done)
        lines = [it for it in run("audit", "--storage", self.storage).stdout.splitlines()
                 if "order.redact" in it]
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"key:privacy .*A, version 3")
        self.assertRegex(lines[1], r"cli:\S+ as Anna .*B, version 3")
        _, _, history = running.fetch("GET", "/orders/B/history", headers={"Authorization": f"Bearer {key}"})
        self.assertRegex(json.loads(history)["items"][-1]["actor"], r"^cli:\S+ as Anna$")

    def test_a_key_is_made_listed_rotated_and_revoked(self):
        key = self.create("web-shop", "orders:read,orders:write", "--user", "42", "--network",
                          "10.0.0.0/8", "--expires", "90d", "--as", "Anna", "--environment", "stage")
        self.assertTrue(key.startswith("op_stage_"))
        [it] = self.listed().values()
        self.assertEqual((it["name"], it["scopes"], it["user"], it["networks"], it["state"]),
                         ("web-shop", "orders:read orders:write", "42", "10.0.0.0/8", "valid"))
        self.assertRegex(it["created_by"], r"^cli:\S+ as Anna$")
        table = self.keys("list").stdout
        self.assertIn("web-shop", table)
        self.assertNotIn(key.split("_")[3], table)
        second = self.keys("rotate", self.id_of(key), "--overlap", "1h").stdout.strip()
        self.assertTrue(KEY.fullmatch(second))
        self.assertEqual({it["name"] for it in self.listed().values()}, {"web-shop"})
        self.keys("revoke", self.id_of(second))
        self.assertEqual(self.listed()[self.id_of(second)]["state"], "revoked")
        audit = run("audit", "--storage", self.storage)
        self.assertEqual(audit.returncode, 0, audit)
        for word in ("key.create", "key.rotate", "key.revoke", "as Anna", "web-shop"):
            self.assertIn(word, audit.stdout)
        self.assertNotIn(key.split("_")[3], audit.stdout)

    def test_what_is_refused(self):
        create = ("create", "--name", "a", "--scope")
        for arguments, word in (
                ((*create, "admin"), "orders:read"),
                ((*create, "read", "--user", "1"), "bound"),
                ((*create, "orders:read", "--user", "1", "--tenant", "2"), "not to both"),
                ((*create, "orders:read", "--expires", "soon"), "--expires"),
                ((*create, "orders:read", "--network", "10.0.0.0/40"), "10.0.0.0/40"),
                ((*create, "orders:read", "--environment", "Live"), "environment"),
                ((*create, "orders:read", "--as", "a\nb"), "--as"),
                (("create", "--name", "Web Shop", "--scope", "read"), "Web Shop"),
                (("create", "--name", "a"), "--scope")):
            with self.subTest(arguments):
                refused = self.keys(*arguments, code=2)
                self.assertIn(word, refused.stderr)
                self.assertEqual(refused.stdout, "")
        self.assertIn("nobody", self.keys("revoke", "nobody", code=1).stderr)
        key = self.create("a", "read")
        self.assertIn("rotate it", self.keys("create", "--name", "a", "--scope", "read", code=2).stderr)
        self.keys("revoke", self.id_of(key))
        self.assertIn("revoked", self.keys("rotate", self.id_of(key), code=2).stderr)

    def test_the_first_key_closes_the_door_everywhere(self):
        first = self.serve("--no-worker")
        second = self.serve("--no-worker")
        for it in (first, second):
            self.assertEqual(self.status(it, ""), 200)
            self.assertEqual(self.status(it, "", X_Forwarded_For="127.0.0.1"), 401)
        key = self.create("web-shop", "orders:read")
        made = time.monotonic()
        for it in (first, second):
            wait_until(lambda it=it: self.status(it, "") == 401, "a key is needed")
            self.assertEqual(self.status(it, key), 200)
            self.assertEqual(self.status(it, key, "/metrics"), 403)
            self.assertEqual(self.status(it, "", "/metrics"), 401)
            self.assertEqual(self.status(it, "", "/healthz"), 200)
            self.assertEqual(self.status(it, "", "/openapi.json"), 200)
        self.assertLess(time.monotonic() - made, NOTICED_S + 5)  # the machine may be busy
        self.keys("revoke", self.id_of(key))
        for it in (first, second):
            wait_until(lambda it=it: self.status(it, key) == 401, "the key is revoked")
            self.assertEqual(self.status(it, ""), 401)

    def test_a_stream_ends_with_its_key(self):
        key = self.create("reads", "orders:read")
        running = self.serve("--no-worker")
        stream = http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_S)
        stream.request("GET", "/events", headers={"Authorization": f"Bearer {key}"})
        answer = stream.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertIn(b"retry:", answer.readline())
        self.keys("revoke", self.id_of(key))
        revoked = time.monotonic()
        with self.assertRaises(http.client.IncompleteRead):
            answer.read()
        self.assertLess(time.monotonic() - revoked, NOTICED_S + 5)  # the machine may be busy
        stream.close()

    def test_a_retry_after_a_rotation_is_a_replay(self):
        key = self.create("writes", "orders:read,orders:write")
        running = self.serve("--no-worker")
        once = {"Idempotency_Key": "once"}
        body = {name: value for name, value in ORDER.items() if name != "order_id"}
        self.assertEqual(self.status(running, key, method="POST", body=body, **once), 201)
        second = self.keys("rotate", self.id_of(key)).stdout.strip()
        wait_until(lambda: self.status(running, second) == 200, "the new key counts")
        self.assertEqual(self.status(running, second, method="POST", body=body, **once), 201)
        self.assertEqual(self.status(running, key), 200)
        _, _, text = running.fetch("GET", "/orders", headers={"Authorization": f"Bearer {second}"})
        [order] = json.loads(text)["items"]
        _, _, text = running.fetch("GET", f"/orders/{order['order_id']}/history",
                                   headers={"Authorization": f"Bearer {key}"})
        self.assertEqual([it["actor"] for it in json.loads(text)["items"]], ["key:writes"])

    def test_beyond_this_machine_there_has_to_be_a_key(self):
        everywhere = ("--listen", "0.0.0.0:0", "--storage", self.storage, "--no-worker")
        refused = run("serve", *everywhere, "--insecure-http")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("orderproc keys create", refused.stderr)
        key = self.create("a", "orders:read,metrics")
        refused = run("serve", *everywhere)
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("--insecure-http", refused.stderr)
        running = self.start("serve", *everywhere, "--insecure-http", "--admin-listen",
                             "127.0.0.1:0")
        self.assertEqual(self.status(running, key), 200)
        self.assertEqual(self.status(running, ""), 401)
        running.stop()
        self.keys("revoke", self.id_of(key))
        self.assertEqual(run("serve", *everywhere, "--insecure-http").returncode, 2)
        refused = run("work", "--storage", self.storage, "--admin-listen", "0.0.0.0:0",
                      "--insecure-http")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("--admin-listen", refused.stderr)

    def test_the_command_line_sends_a_key(self):
        key = self.create("till", "orders:read,orders:write")
        write_only = self.create("writes", "orders:write")
        running = self.serve("--no-worker")
        file = f"{self.folder.name}/key"
        with open(file, "w", encoding="ascii") as to:
            to.write(key + "\n")
        create = ("order", "create", "--user", "1", "--item", "2", "--amount", "3", "--url",
                  running.url)
        self.assertEqual(run(*create).returncode, 1)
        self.assertEqual(run(*create, "--token-file", file).returncode, 0)
        self.assertEqual(run(*create, ORDERPROC_TOKEN=key).returncode, 0)
        self.assertEqual(run(*create, "--token-file", file, ORDERPROC_TOKEN="x").returncode, 0)
        self.assertEqual(run(*create, ORDERPROC_TOKEN_FILE=file).returncode, 0)
        writes = run(*create, ORDERPROC_TOKEN=write_only)
        self.assertEqual((writes.returncode, writes.stderr), (0, ""))
        for other, word in ((("--token-file", file + "x"), file), (("--token-file", "/dev/null"), "")):
            ended = run(*create, *other)
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn(word, ended.stderr)
        ended = run("order", "list", "--url", "http://192.0.2.1:1", "--token-file", file)
        self.assertEqual(ended.returncode, 2, ended)
        self.assertIn("--insecure-http", ended.stderr)
        self.assertNotIn(key, ended.stderr)
        bench = ("bench", "post", "--address", f"127.0.0.1:{running.port}", "--requests", "10")
        self.assertEqual(run(*bench).returncode, 1)
        self.assertEqual(run(*bench, "--token-file", file).returncode, 0)

    def test_no_secret_is_left_anywhere(self):
        key = self.create("web-shop", "orders:read,orders:write")
        running = self.serve("--no-worker", "--log-level", "debug")
        for sent in (key, key[:-1], "x" + key):
            self.status(running, sent)
            self.status(running, sent, "/orders", "POST", ORDER)
            self.status(running, sent, f"/orders?key={key}")
            self.status(running, "", "/orders", Cookie=f"key={key}")
        with open(f"/proc/{running.child.pid}/cmdline", "rb") as file:
            arguments = file.read().decode()
        headers = {"Authorization": f"Bearer {key}"}
        shown = [running.fetch("GET", it, headers=headers)[2]
                 for it in ("/orders", "/journal", "/openapi.json", f"/orders?key={key}",
                            f"/orders/{ORDER['order_id']}/history")]
        _, log = running.stop()
        self.assertIn("credential_refused", log)
        self.assertIn("malformed", log)
        secret = key.split("_")[3]
        for text in (log, arguments, *shown):
            self.assertNotIn(secret, text)
        for name in os.listdir(self.folder.name):
            with open(f"{self.folder.name}/{name}", "rb") as file:
                self.assertNotIn(secret.encode(), file.read(), name)

    def test_keys_of_a_storage_that_is_written_by_many(self):
        makers = [subprocess.Popen([BINARY, "keys", "create", "--name", f"k{i}", "--scope", "read",
                                    "--storage", self.storage], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True) for i in range(8)]
        made = [it.communicate(timeout=DEADLINE_S)[0].strip() for it in makers]
        self.assertEqual({it.returncode for it in makers}, {0})
        self.assertEqual(set(self.listed()), {self.id_of(it) for it in made})


if __name__ == "__main__":
    main()
