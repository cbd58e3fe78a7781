"""What the tests of the whole binary share: children that are gone when a test is."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = sys.argv[1] if len(sys.argv) > 1 else "orderproc"
DEADLINE_S = 60
STARTS_MAX = 5

ORDER = {"order_id": "ORD-A8F64D2E", "user_id": 123, "item_ids": [1001, 1002, 1003],
         "total_amount": 149.99}


# What the programs print is kept in this directory, for tests/secrets; none: it is not.
PRINTED = os.environ.get("ORDERPROC_TEST_PRINTED")


def keep(printed):
    if PRINTED and printed:
        name = f"{os.path.basename(sys.argv[0])}.{os.getpid()}"
        with open(os.path.join(PRINTED, name), "a", encoding="utf-8") as file:
            file.write(printed)


def shows_a_secret(arguments):
    """A command that is there to print one."""
    return len(arguments) > 1 and arguments[0] in ("keys", "webhooks") and arguments[1] in (
        "create", "rotate")


def run(*arguments, stdin=None, **environment):
    ended = subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                           timeout=DEADLINE_S, input=stdin, env=dict(os.environ, **environment),
                           check=False)
    keep(ended.stderr)
    if not shows_a_secret(arguments):
        keep(ended.stdout)
    return ended


def wait_until(true_at_last, what, deadline_s=DEADLINE_S):
    """What is asked for, once it is true; it is asked often."""
    give_up = time.monotonic() + deadline_s
    while True:
        found = true_at_last()
        if found:
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"never happened: {what}")
        threading.Event().wait(0.02)


def warns_of_root(command):
    """Whether the first line that the command logs is about the tests' user."""
    return os.geteuid() == 0 and "error" not in command and ("serve" in command or "work" in command)


class Running:
    """A child that printed its line of readiness; gone when the test is."""

    def __init__(self, test, *command, before=None, **environment):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env=dict(os.environ, **environment),
                                      preexec_fn=before)
        test.addCleanup(self.kill)
        self.ready_line = self.child.stdout.readline().strip()
        if not self.ready_line:
            raise AssertionError(self.child.communicate(timeout=DEADLINE_S))
        self.root_warning = self.read_line_of_log() if warns_of_root(command) else ""

    def read_line_of_log(self):
        """The next line, and no byte more: communicate() does not see what was buffered."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.child.stderr.fileno(), 1)
            if not byte:
                break
            line += byte
        keep(line.decode())
        return line.decode()

    @property
    def port(self):
        return int(self.ready_line.rsplit(":", 1)[1])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def fetch(self, method, target, body=None, headers=None):
        """Status, fields, text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def ask(self, method, target, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        status, _, text = self.fetch(method, target,
                                     json.dumps(body) if body is not None else None, headers)
        return status, json.loads(text) if text else None

    def wait_for(self, order_id, status):
        def found():
            order = self.ask("GET", f"/orders/{order_id}")[1]
            return order if order["status"] == status else None
        return wait_until(found, f"{order_id} is {status}")

    def stop(self, how=signal.SIGTERM):
        self.child.send_signal(how)
        out, err = self.child.communicate(timeout=DEADLINE_S)
        keep(err)
        return self.child.returncode, err

    def kill(self):
        with self.child:  # reaps it and closes the pipes
            self.child.kill()
            if PRINTED and not self.child.stderr.closed:
                self.keep_what_is_left()

    def keep_what_is_left(self):
        """Children of the child may have the pipe open, so that it does not end."""
        os.set_blocking(self.child.stderr.fileno(), False)
        while True:
            try:
                some = os.read(self.child.stderr.fileno(), 65536)
            except BlockingIOError:
                return
            if not some:
                return
            keep(some.decode(errors="replace"))


class Process:
    """A child of a test that kills; printed its line of readiness, and leaves its stderr to us."""

    made = []  # none of them outlives the test

    def __init__(self, *command, log=None, **environment):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                      env=dict(os.environ, **environment))
        Process.made.append(self)
        self.ready_line = self.child.stdout.readline()
        if not self.ready_line:
            raise RuntimeError(f"{command} ended with {self.child.wait()} before it was ready")

    @classmethod
    def supervised(cls, *command, **options):
        """Started again if it fails, as a supervisor would: while a disk stalls, another process
        may hold the write lock for longer than a start waits for it."""
        for _ in range(STARTS_MAX - 1):
            try:
                return cls(*command, **options)
            except RuntimeError as failed:
                print(failed, file=sys.stderr)
        return cls(*command, **options)

    @property
    def port(self):
        return int(self.ready_line.rsplit(":", 1)[1])

    def end(self, how=signal.SIGTERM, deadline_s=240):
        self.child.send_signal(how)
        try:
            return self.child.wait(deadline_s)
        finally:
            self.child.stdout.close()

    @classmethod
    def kill_all(cls):
        for it in cls.made:
            with it.child:  # reaps it and closes its pipe
                it.child.kill()


class WithStorage(unittest.TestCase):
    """A test with an SQLite file of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="orderproc-test-")
        self.file = f"{self.folder.name}/orders.db"
        self.storage = f"sqlite:{self.file}"
        self.addCleanup(self.folder.cleanup)

    def start(self, *arguments, **environment):
        return Running(self, BINARY, *arguments, **environment)

    def serve(self, *arguments, **environment):
        return self.start("serve", "--listen", "127.0.0.1:0", "--storage", self.storage, *arguments,
                          **environment)

    def work(self, *arguments, **environment):
        return self.start("work", "--storage", self.storage, *arguments, **environment)


def main():
    unittest.main(argv=sys.argv[:1])
