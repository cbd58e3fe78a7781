#!/usr/bin/env python3
"""JSON Web Tokens as credentials of `orderproc serve`: keys from a file, several issuers, replays
by another token, streams that end, and what is refused.

usage: jwt_test.py ORDERPROC_BINARY
"""

import http.client
import json
import time
import unittest

from binary_support import DEADLINE_S, ORDER, WithStorage, main, run, wait_until
from jwt_support import OPENSSL, SigningKey, write_keys

HAS_JWT = "--jwt-issuer" in run("serve", "--help").stdout
BODY = {name: value for name, value in ORDER.items() if name != "order_id"}


@unittest.skipUnless(HAS_JWT and OPENSSL, "built without tokens, or there is no openssl")
class Tokens(WithStorage):
    def setUp(self):
        super().setUp()
        self.key = SigningKey(self.folder.name, "first")
        self.keys = f"{self.folder.name}/jwks.json"
        write_keys(self.keys, self.key)
        self.issuer = ("--jwt-issuer", "https://id.example", "--jwt-audience", "orderproc",
                       "--jwt-keys", f"file:{self.keys}")

    def serve_tokens(self, *more, **environment):
        return self.serve("--no-worker", *self.issuer, *more, **environment)

    @staticmethod
    def ask(running, token, method="GET", target="/orders", body=None, **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        status, got, text = running.fetch(method, target, body, headers)
        return status, got, json.loads(text)

    def status(self, running, token, *more, **fields):
        return self.ask(running, token, *more, **fields)[0]

    def test_a_token_of_each_algorithm_makes_an_order(self):
        keys = [self.key, SigningKey(self.folder.name, "second", "RS256"),
                SigningKey(self.folder.name, "third", "EdDSA")]
        write_keys(self.keys, *keys)
        running = self.serve_tokens()
        for key in keys:
            status, _, order = self.ask(running, key.token(), "POST", "/orders", BODY)
            self.assertEqual(status, 201, order)
            _, _, history = self.ask(running, key.token(), target=f"/orders/{order['order_id']}/history")
            self.assertEqual(history["items"][0]["actor"], "jwt:id.example:alice")

    def test_everybody_needs_a_credential(self):
        running = self.serve_tokens("--insecure-no-auth")
        status, fields, problem = self.ask(running, "")
        self.assertEqual((status, fields["WWW-Authenticate"]), (401, 'Bearer realm="orderproc"'))
        status, fields, other = self.ask(running, self.key.token(aud="other"))
        self.assertEqual((status, fields["WWW-Authenticate"]),
                         (401, 'Bearer realm="orderproc", error="invalid_token"'))
        self.assertEqual(problem["detail"] if "detail" in problem else "",
                         other["detail"] if "detail" in other else "")
        self.assertEqual(self.status(running, self.key.token(scope="openid")), 403)
        self.assertEqual(self.status(running, "", target="/healthz"), 200)
        self.assertEqual(self.status(running, self.key.token(), target="/orders?token=x"), 400)
        made = run("keys", "create", "--name", "a", "--scope", "orders:read", "--storage", self.storage)
        wait_until(lambda: self.status(running, made.stdout.strip()) == 200, "keys count as well")

    def test_another_token_of_the_same_subject_replays(self):
        running = self.serve_tokens()
        now = int(time.time())
        once = {"Idempotency_Key": "once"}
        first = self.ask(running, self.key.token(), "POST", "/orders", BODY, **once)
        second = self.ask(running, self.key.token(exp=now + 60), "POST", "/orders", BODY, **once)
        other = self.ask(running, self.key.token(sub="bob"), "POST", "/orders", BODY, **once)
        self.assertEqual([it[0] for it in (first, second, other)], [201, 201, 201])
        self.assertEqual(first[2], second[2])
        self.assertNotEqual(first[2]["order_id"], other[2]["order_id"])

    def test_a_bound_token_sees_its_own_orders(self):
        running = self.serve_tokens("--jwt-user-claim", "uid")
        self.assertEqual(self.status(running, self.key.token()), 401)
        self.assertEqual(self.status(running, self.key.token(uid="")), 401)
        mine = self.key.token(uid=123, scope="orders:read orders:write metrics")
        other = self.key.token(uid="7", sub="bob")
        status, _, order = self.ask(running, mine, "POST", "/orders", BODY)
        self.assertEqual(status, 201)
        self.assertEqual(self.status(running, other, target=f"/orders/{order['order_id']}"), 404)
        self.assertEqual(self.ask(running, other)[2]["items"], [])
        self.assertEqual(self.status(running, mine, target="/metrics"), 403)
        self.assertEqual(self.status(running, other, "POST", "/orders", BODY), 422)
        # The same subject, now of somebody else: what it has made before is not shown.
        once = {"Idempotency_Key": "once"}
        made = self.ask(running, mine, "POST", "/orders", BODY, **once)
        self.assertEqual(made[0], 201)
        moved = self.key.token(uid="7")
        status, _, answer = self.ask(running, moved, "POST", "/orders", BODY, **once)
        self.assertEqual(status, 422)
        self.assertNotIn(made[2]["order_id"], json.dumps(answer))

    # Row 24 of the attacks.
    def test_keys_are_replaced_while_the_server_runs(self):
        running = self.serve_tokens()
        self.assertIn("token_keys_taken", running.read_line_of_log())
        old = self.key.token()
        second = SigningKey(self.folder.name, "second", "EdDSA")
        new = second.token()
        self.assertEqual((self.status(running, old), self.status(running, new)), (200, 401))
        stream = http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_S)
        stream.request("GET", "/events", headers={"Authorization": f"Bearer {old}"})
        answer = stream.getresponse()
        self.assertIn(b"retry:", answer.readline())
        write_keys(self.keys, self.key, second)
        wait_until(lambda: self.status(running, new) == 200, "the new key counts")
        self.assertEqual(self.status(running, old), 200)
        with open(self.keys, "w", encoding="ascii") as file:
            file.write('{"keys":[')
        log = ""
        while "token_keys_not_taken" not in log:
            log = running.read_line_of_log()
        self.assertEqual((self.status(running, old), self.status(running, new)), (200, 200))
        write_keys(self.keys, second)
        wait_until(lambda: self.status(running, old) == 401, "the old key is gone")
        self.assertEqual(self.status(running, new), 200)
        with self.assertRaises(http.client.IncompleteRead):
            answer.read()
        stream.close()

    def test_a_stream_ends_with_its_token(self):
        running = self.serve_tokens()
        stream = http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_S)
        ends = self.key.token(exp=int(time.time()) + 3)
        stream.request("GET", "/events", headers={"Authorization": f"Bearer {ends}"})
        answer = stream.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertIn(b"retry:", answer.readline())
        with self.assertRaises(http.client.IncompleteRead):
            answer.read()
        stream.close()

    # Rows 12 to 21 of the attacks, over HTTP: each of them is tried by itself in jwt_test.
    def test_forged_tokens_are_refused_alike(self):
        second = SigningKey(self.folder.name, "second", "RS256")
        write_keys(self.keys, self.key, second)
        running = self.serve_tokens()
        now = int(time.time())
        good = self.key.token()
        head, claims, signature = good.split(".")
        forged = SigningKey(self.folder.name, "forged")
        tokens = [
            self.key.token({"alg": "none"}), self.key.token({"alg": ["ES256"]}),
            f"{self.key.token({'alg': 'none'}).rsplit('.', 1)[0]}.",
            second.token({"alg": "PS256"}), second.token({"alg": "ES256"}),
            self.key.token({"kid": "second"}), self.key.token({"kid": "../../dev/null"}),
            self.key.token({"kid": "' OR 1=1"}), self.key.token({"kid": "\0"}),
            forged.token({"kid": "first"}), forged.token({"kid": "first", "jwk": forged.jwk()}),
            forged.token({"kid": "first", "jku": f"{running.url}/keys"}),
            self.key.token({"crit": ["exp"]}), self.key.token({"b64": False}),
            f"{head}.{claims}", f"{good}.", f"{good}.AAAA.AAAA", f".{good}",
            f"{head}.{claims}.", f"{head}.{claims}.{signature[:-4]}", f"{good}=",
            f"{head}.{claims}.{'A' * 86}",
            self.key.token(exp=None), self.key.token(exp=now - 60), self.key.token(exp=str(now + 9)),
            self.key.token(exp=-1), self.key.token(exp=now + 10 * 365 * 86400),
            self.key.token(nbf=now + 120), self.key.token(iat=now + 120),
            self.key.token(aud=None), self.key.token(aud="order"), self.key.token(aud=["other"]),
            self.key.token(iss="https://id.example/"), self.key.token(sub=None),
        ]
        bodies = set()
        for i, token in enumerate(tokens):
            with self.subTest(i=i):
                status, fields, problem = self.ask(running, token)
                if status == 429:  # enough failures for a while: begin anew
                    running.stop()
                    running = self.serve_tokens()
                    status, fields, problem = self.ask(running, token)
                self.assertEqual(status, 401)
                self.assertIn("invalid_token", fields["WWW-Authenticate"])
                problem.pop("request_id", None)
                problem.pop("instance", None)
                bodies.add(json.dumps(problem))
        self.assertEqual(len(bodies), 1, bodies)
        self.assertEqual(self.status(running, good), 200)
        _, log = running.stop()
        self.assertIn("credential_refused", log)
        for token in (*tokens, good):
            for part in token.split("."):
                if len(part) > 20:
                    self.assertNotIn(part, log)

    def test_several_issuers(self):
        other = SigningKey(self.folder.name, "first2", "EdDSA")
        keys = f"{self.folder.name}/other.json"
        write_keys(keys, other)
        file = f"{self.folder.name}/issuers.json"
        with open(file, "w", encoding="ascii") as to:
            json.dump([{"issuer": "https://id.example", "audience": "orderproc",
                        "keys": f"file:{self.keys}", "name": "shop"},
                       {"issuer": "https://other.example", "audience": "orders",
                        "keys": f"file:{keys}", "algorithms": ["EdDSA"], "scope_claim": "scp",
                        "tenant_claim": "tid"}], to)
        running = self.serve("--no-worker", "--jwt-issuers", file)
        self.assertEqual(self.status(running, self.key.token()), 200)
        theirs = {"iss": "https://other.example", "aud": "orders", "tid": "acme", "scope": None}
        self.assertEqual(self.status(running, other.token(**theirs, scp=["orders:read"])), 200)
        self.assertEqual(self.status(running, other.token(**theirs)), 403)
        self.assertEqual(self.status(running, other.token()), 401)
        self.assertEqual(self.status(running, self.key.token(**theirs, scp="orders:read")), 401)

    def test_what_is_refused(self):
        def refused(*arguments, word):
            ended = run("serve", "--storage", self.storage, "--no-worker", *arguments)
            self.assertEqual(ended.returncode, 2, ended)
            self.assertIn(word, ended.stderr)
        refused(*self.issuer[:4], word="keys")
        refused(*self.issuer[:2], *self.issuer[4:], word="audience")
        refused(*self.issuer[2:], word="--jwt-issuer")
        refused(*self.issuer, "--jwt-algorithms", "HS256", word="HS256")
        refused(*self.issuer, "--jwt-user-claim", "a", "--jwt-tenant-claim", "b", word="not to both")
        refused(*self.issuer, "--jwt-issuers", "x.json", word="--jwt-issuers")
        for more in (("--jwt-user-claim", "uid"), ("--jwt-tenant-claim", "shop"),
                     ("--jwt-scope-claim", "scp"), ("--jwt-audience", "orderproc"),
                     ("--jwt-algorithms", "ES256"), ("--jwt-name", "id"), ("--jwt-allow-private",)):
            refused("--jwt-issuers", "x.json", *more, word="say it in the file")
            refused(*more, word="tokens need --jwt-issuer")
        refused(*self.issuer[:4], "--jwt-keys", "ftp://id.example/keys", word="https://HOST/PATH")
        refused("--jwt-issuers", "/nowhere.json", word="/nowhere.json")
        refused(*self.issuer[:4], "--jwt-keys", "file:/nowhere.json", word="/nowhere.json")
        refused(*self.issuer[:4], "--jwt-keys", f"file:{self.key.file}", word="JWK Set")

    def test_beyond_this_machine_an_issuer_is_enough(self):
        everywhere = ("--listen", "0.0.0.0:0", "--storage", self.storage, "--no-worker",
                      "--insecure-http")
        self.assertEqual(run("serve", *everywhere).returncode, 2)
        running = self.start("serve", *everywhere, *self.issuer)
        self.assertEqual(self.status(running, self.key.token()), 200)
        self.assertEqual(self.status(running, ""), 401)

    def test_the_command_line_sends_a_token(self):
        running = self.serve_tokens()
        create = ("order", "create", "--user", "1", "--item", "2", "--amount", "3", "--url",
                  running.url)
        self.assertEqual(run(*create).returncode, 1)
        self.assertEqual(run(*create, ORDERPROC_TOKEN=self.key.token()).returncode, 0)

    def test_a_worker_asks_at_its_own_address(self):
        running = self.start("work", "--storage", self.storage, "--processor", "simulate:0",
                             "--admin-listen", "127.0.0.1:0", *self.issuer)
        line = ""
        while "admin_listens" not in line:
            line = running.read_line_of_log()
        port = int(line.split("port=")[1].split()[0])
        for token, status in (("", 401), (self.key.token(), 403), (self.key.token(scope="metrics"), 200)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})
            self.assertEqual(connection.getresponse().status, status)
            connection.close()


if __name__ == "__main__":
    main()
