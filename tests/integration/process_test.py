#!/usr/bin/env python3
"""The server as a process: open files, signals, children, orphans, secrets, and logs that nobody
reads.

usage: process_test.py ORDERPROC_BINARY
"""

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess

from binary_support import BINARY, DEADLINE_S, ORDER, Running, WithStorage, main, run, wait_until

SECRET = "tOpSeCrEt"
PR_SET_CHILD_SUBREAPER = 36
O_CLOEXEC = 0o2000000

# What a shell has open, without opening anything to find out. 10 is its own copy of its output.
LIST_FILES = ("i=0; while [ $i -lt 1024 ]; do [ -e /proc/$$/fd/$i ] && [ $i -ne 10 ] && echo $i; "
              "i=$((i+1)); done")


def open_files(pid):
    """{number: (what it is, whether programs inherit it)}"""
    out = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            what = os.readlink(f"/proc/{pid}/fd/{number}")
            with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file:
                flags = int(re.search(r"^flags:\s*(\d+)", file.read(), re.M)[1], 8)
            out[int(number)] = (what, not flags & O_CLOEXEC)
    return out


def state_of(pid):
    """As ps has it; None: there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def become_subreaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ignoring(*signals):
    def before():
        for it in signals:
            signal.signal(it, signal.SIG_IGN)
    return before


def full_pipe(test):
    """Its end for writing, in which nothing more fits; nobody reads it before the test ends."""
    read, write = os.pipe()
    test.addCleanup(os.close, read)
    test.addCleanup(os.close, write)
    fcntl.fcntl(write, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    fcntl.fcntl(write, fcntl.F_SETFL, 0)
    return write


class WithScripts(WithStorage):
    """A test whose orders are worked on by scripts of its own."""

    def path(self, name):
        return f"{self.folder.name}/{name}"

    def text_of(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        return ""

    def script(self, text, name="script"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text + "\n")
        os.chmod(self.path(name), 0o700)
        return self.path(name)

    def kill_later(self, name):
        """What a script left behind and wrote the number of."""
        def kill():
            if self.text_of(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(self.text_of(name)), signal.SIGKILL)
        self.addCleanup(kill)


class Files(WithScripts):
    def busy_server(self, processor):
        """With everything open that it ever has: clients, listeners, items, a broker, an admin."""
        broker = socket.create_server(("127.0.0.1", 0))  # takes the connection, and says nothing
        self.addCleanup(broker.close)
        with open(self.path("items.txt"), "w", encoding="ascii") as file:
            file.write("1001 1002 1003\n")
        running = self.serve("--processor", processor, "--items", f"file:{self.path('items.txt')}",
                             "--broker", f"amqp://127.0.0.1:{broker.getsockname()[1]}",
                             "--admin-listen", "127.0.0.1:0", "--threads", "2", "--poll-interval", "100ms")
        accepted = broker.accept()[0]
        self.addCleanup(accepted.close)
        for target in ("/orders", "/events"):
            client = socket.create_connection(("127.0.0.1", running.port))
            self.addCleanup(client.close)
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
        return running

    def test_no_program_inherits_an_open_file(self):
        running = self.busy_server(f"exec:sh -c '{LIST_FILES} > {self.path('list')}'")
        files = open_files(running.child.pid)
        kinds = [what.split(":")[0] for what, _ in files.values()]
        self.assertGreaterEqual(kinds.count("socket"), 5, files)  # two ports, two clients, a broker
        self.assertTrue(any(what.endswith("orders.db") for what, _ in files.values()), files)
        inherited = {number for number, (_, kept) in files.items() if kept}
        self.assertEqual(inherited, {0, 1, 2}, files)
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")
        self.assertEqual(self.text_of("list").split(), ["0", "1", "2"])

    def test_a_client_asks_over_sockets_that_are_not_inherited(self):
        shop = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(shop.close)
        running = self.serve("--processor", f"http://127.0.0.1:{shop.getsockname()[1]}/")
        running.ask("POST", "/orders", ORDER)
        self.addCleanup(shop.accept()[0].close)
        inherited = {number for number, (_, kept) in open_files(running.child.pid).items() if kept}
        self.assertEqual(inherited, {0, 1, 2})

    def test_a_program_that_goes_on_keeps_no_port(self):
        daemon = self.script(f"setsid sleep 600 & echo $! > {self.path('daemon')}; exit 0")
        self.kill_later("daemon")
        running = self.serve("--processor", f"exec:{daemon}")
        client = socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE_S)
        self.addCleanup(client.close)
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")
        port = running.port
        running.kill()
        self.assertIn(state_of(int(self.text_of("daemon"))), ("S", "R"))
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(client.recv(1), b"")  # the end of the server is the connection's
        again = self.start("serve", "--listen", f"127.0.0.1:{port}", "--storage", self.storage)
        self.assertEqual(again.ask("GET", "/healthz")[0], 200)


class Programs(WithScripts):
    def test_a_program_dies_with_a_killed_server(self):
        self.kill_later("pid")
        running = self.serve("--processor", "exec:" + self.script(
            f"echo $$ > {self.path('started')}; mv {self.path('started')} {self.path('pid')}; "
            "exec sleep 600"))
        running.ask("POST", "/orders", ORDER)
        pid = int(wait_until(lambda: self.text_of("pid"), "the program runs"))
        running.kill()
        wait_until(lambda: state_of(pid) in (None, "Z"), "it is gone")

    def test_exit_codes_count_whatever_signals_were_ignored(self):
        ignored = ignoring(signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM)
        running = self.start("serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                             "--processor", "exec:" + self.script("exit 3"), before=ignored)
        running.ask("POST", "/orders", ORDER)
        found = running.wait_for("ORD-A8F64D2E", "FAILED")
        self.assertEqual(found["last_error"], "exit code 3")
        self.assertEqual(running.stop()[0], 0)

    def test_programs_get_no_settings(self):
        url = f"amqp://user:{SECRET}@127.0.0.1:1"
        running = self.serve("--processor", "exec:" + self.script(f"env > {self.path('env')}"),
                             "--poll-interval", "100ms", ORDERPROC_BROKER=url, ORDERPROC_LOG="json",
                             ORDERPROC_OTHER=SECRET, SHOP_SETTING="kept")
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "COMPLETED")
        names = {it.split("=")[0] for it in self.text_of("env").splitlines()}
        self.assertNotIn(SECRET, self.text_of("env"))
        self.assertEqual({it for it in names if it.startswith("ORDERPROC_")},
                         {"ORDERPROC_ORDER_ID", "ORDERPROC_STAGE", "ORDERPROC_ATTEMPT",
                          "ORDERPROC_IDEMPOTENCY_KEY"})
        self.assertIn("SHOP_SETTING", names)


class Signals(WithScripts):
    def test_a_closed_terminal_is_a_polite_stop(self):
        running = self.serve("--processor", "simulate:1h", "--drain", "0s")
        running.ask("POST", "/orders", ORDER)
        running.wait_for("ORD-A8F64D2E", "PROCESSING")
        self.assertEqual(running.stop(signal.SIGHUP)[0], 0)
        again = self.serve("--no-worker")
        self.assertEqual(again.ask("GET", "/orders/ORD-A8F64D2E")[1]["status"], "PENDING")
        worker = self.work()
        self.assertEqual(worker.stop(signal.SIGHUP)[0], 0)

    def test_a_second_hang_up_does_not_end_the_drain(self):
        running = self.serve("--no-worker", "--shutdown-delay", "1h")
        running.child.send_signal(signal.SIGTERM)
        wait_until(lambda: running.ask("GET", "/readyz")[0] == 503, "it stops")
        running.child.send_signal(signal.SIGHUP)
        self.assertEqual(running.ask("GET", "/readyz")[0], 503)
        running.child.send_signal(signal.SIGINT)
        self.assertEqual(running.child.wait(DEADLINE_S), -signal.SIGINT)

    def test_nohup_is_respected(self):
        running = self.start("serve", "--listen", "127.0.0.1:0", "--storage", self.storage,
                             "--no-worker", before=ignoring(signal.SIGHUP))
        running.child.send_signal(signal.SIGHUP)
        self.assertEqual(running.ask("GET", "/readyz")[0], 200)
        self.assertEqual(running.stop()[0], 0)


class Surroundings(WithScripts):
    def test_no_privileges_are_gained_and_root_is_told(self):
        server = self.serve("--processor", "exec:" + self.script("exit 0"))
        for it in (server, self.work()):
            with open(f"/proc/{it.child.pid}/status", encoding="ascii") as file:
                self.assertIn("NoNewPrivs:\t1", file.read())
            self.assertEqual("warning running_as_root" in it.root_warning, os.geteuid() == 0)
        server.ask("POST", "/orders", ORDER)
        server.wait_for("ORD-A8F64D2E", "COMPLETED")  # programs run all the same

    def test_closed_standard_descriptors_are_no_files_of_ours(self):
        running = Running(self, "/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh", BINARY, "serve",
                          "--listen", "127.0.0.1:0", "--storage", self.storage, "--no-worker",
                          "--log-level", "error")
        files = open_files(running.child.pid)
        self.assertEqual([files[it][0] for it in (0, 2)], ["/dev/null"] * 2)

    def test_a_program_may_have_spaces_in_its_name(self):
        program = self.script(f'echo "$1" > {self.path("argument")}', "pick and pack")
        for i, quoted in enumerate((f"'{program}' \"it's fine\"",
                                    program.replace(" ", "\\ ") + " it\\'s\\ fine")):
            running = self.serve("--processor", f"exec:{quoted}")
            running.ask("POST", "/orders", dict(ORDER, order_id=f"Q-{i}"))
            running.wait_for(f"Q-{i}", "COMPLETED")
            self.assertEqual(self.text_of("argument"), "it's fine\n")
            running.stop()
            os.remove(self.path("argument"))

    def test_a_program_that_is_not_there_is_told_at_once(self):
        self.script("exit 0", "plain")
        os.chmod(self.path("plain"), 0o600)
        for processor in ("exec:", "exec:/nowhere/program", "exec:no-such-program-anywhere",
                          f"exec:{self.folder.name}", f"exec:{self.path('plain')}", "exec:'sh"):
            for command in (("serve", "--listen", "127.0.0.1:0"), ("work",)):
                with self.subTest(command=command, processor=processor):
                    ended = run(*command, "--storage", self.storage, "--processor", processor)
                    self.assertEqual(ended.returncode, 2, ended)
                    self.assertIn("orderproc: --processor: ", ended.stderr)


class Orphans(WithScripts):
    """What a program leaves behind, when it comes to us."""

    def unshared(self):
        """The beginning of a command whose first process is the first of a PID namespace."""
        unshare = ("unshare", "--pid", "--fork", "--kill-child")
        if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False,
                                                         capture_output=True).returncode != 0:
            self.skipTest("no PID namespaces here")
        return unshare

    def leave_orphans(self, *command, before=None, more=()):
        script = self.script("sleep 0 & exit 0")
        running = Running(self, *command, BINARY, "serve", "--listen", "127.0.0.1:0", "--storage",
                          self.storage, "--processor", f"exec:{script}", *more,
                          before=before)
        for i in range(20):
            running.ask("POST", "/orders", dict(ORDER, order_id=f"Z-{i}"))
        for i in range(20):
            running.wait_for(f"Z-{i}", "COMPLETED")  # no exit code was lost
        return running

    @staticmethod
    def children_of(pid):
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True,
                             text=True, check=False)
        return out.stdout.split()

    def test_a_subreaper_reaps_them(self):
        running = self.leave_orphans(before=become_subreaper)
        wait_until(lambda: not self.children_of(running.child.pid), "none is left")
        self.assertEqual(running.stop()[0], 0)

    def test_the_first_process_of_a_container_reaps_them(self):
        running = self.leave_orphans(*self.unshared())
        server, = self.children_of(running.child.pid)
        wait_until(lambda: not self.children_of(server), "none is left")
        os.kill(int(server), signal.SIGTERM)
        self.assertEqual(running.child.wait(DEADLINE_S), 0)


    def test_a_second_signal_ends_the_first_process_of_a_container_too(self):
        running = self.leave_orphans(*self.unshared(), more=("--shutdown-delay", "1h"))
        server, = self.children_of(running.child.pid)
        os.kill(int(server), signal.SIGTERM)
        wait_until(lambda: running.ask("GET", "/readyz")[0] == 503, "it stops")
        os.kill(int(server), signal.SIGTERM)
        self.assertEqual(running.child.wait(DEADLINE_S), 128 + signal.SIGTERM)


class NobodyReads(WithScripts):
    def test_orders_are_worked_on_while_nobody_reads_the_log(self):
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        child = subprocess.Popen(
            [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--storage", self.storage,
             "--processor", "simulate:0", "--log-level", "debug"], stdout=subprocess.PIPE,
            stderr=write, text=True)
        os.close(write)
        with child:
            self.addCleanup(child.kill)
            child.stdout.readline()
            server = object.__new__(Running)
            server.child, server.ready_line = child, f"x:{port}"
            for i in range(200):  # far more lines than the pipe takes
                self.assertEqual(server.ask("POST", "/orders", dict(ORDER, order_id=f"L-{i}"))[0],
                                 201)
            for i in range(200):
                server.wait_for(f"L-{i}", "COMPLETED")
            child.send_signal(signal.SIGTERM)
            self.assertEqual(child.wait(DEADLINE_S), 0)

    def test_the_line_of_readiness_keeps_nobody_from_stopping(self):
        for command in (("serve", "--listen", "127.0.0.1:0"), ("work",)):
            with self.subTest(command):
                child = subprocess.Popen([BINARY, *command, "--storage", self.storage],
                                         stdout=full_pipe(self), stderr=full_pipe(self))
                self.addCleanup(child.kill)
                wait_until(lambda: os.path.exists(self.file), "it has begun")
                child.send_signal(signal.SIGTERM)
                self.assertIn(child.wait(DEADLINE_S), (0, -signal.SIGTERM))

    def test_a_refusal_ends_although_nobody_reads_it(self):
        for arguments in (["serve", "--storage", "nothing"], ["serve", "--nonsense"]):
            child = subprocess.Popen([BINARY, *arguments], stdout=full_pipe(self),
                                     stderr=full_pipe(self))
            self.addCleanup(child.kill)
            self.assertEqual(child.wait(DEADLINE_S), 2)


class Refusals(WithScripts):
    def test_no_secret_is_repeated(self):
        url = f"http://user:{SECRET}@127.0.0.1/p"
        with open(self.path("secret"), "w", encoding="ascii") as file:
            file.write(f"root:{SECRET}:19000:0:99999\n")
        with open(self.path("secret.toml"), "w", encoding="ascii") as file:
            file.write(f'[serve.{SECRET}]\nx = 1\n')
        serve = ["serve", "--listen", "127.0.0.1:0", "--storage", self.storage]
        rows = [["--config", self.path("secret"), *serve],
                ["--config", self.path("secret.toml"), *serve],
                ["serve", "--storage", f"mysql://user:{SECRET}@host/db"],
                ["verify", "--storage", f"mysql://user:{SECRET}@host/db"],
                ["migrate", "--storage", f"mysql://user:{SECRET}@host/db"],
                ["serve", "--listen", f"http://user:{SECRET}@host:80"],
                [*serve, "--admin-listen", url],
                [*serve, "--items", f"https://user:{SECRET}@host/x y"],
                [*serve, "--items", f"ftp://user:{SECRET}@host/"],
                [*serve, "--items", f"file:{self.path('secret')}"],
                [*serve, "--processor", f"ftp://user:{SECRET}@host"],
                [*serve, "--processor", f"http://user:{SECRET}@host/x y"],
                [*serve, "--processor", f"user:{SECRET}@host"],
                [*serve, "--processor", f"http:user:{SECRET}@host"],
                [*serve, "--processor", f"ftp://host/?key={SECRET}"],
                [*serve, "--broker", f"amqp://user:{SECRET}@host"],
                [*serve, "--broker", f"http://user:{SECRET}@host"],
                [*serve, "--broker-file", self.path("secret")],
                [*serve, "--cors-origin", url],
                [*serve, "--trusted-proxy", url],
                [*serve, "--rate-limit", url],
                [*serve, "--lease", url],
                [*serve, "--in-flight", url],
                [*serve, "--log", url],
                [*serve, "--unknown", url],
                [*serve, url],
                ["bench", url],
                ["order", "--url", f"ftp://user:{SECRET}@host/", "list"]]
        for arguments in rows:
            with self.subTest(arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, 2, ended)
                self.assertNotIn(SECRET, ended.stdout + ended.stderr)
                self.assertTrue(ended.stderr)
        ended = run(*serve, ORDERPROC_BROKER=f"amqp://user:{SECRET}@host:x/")
        self.assertEqual(ended.returncode, 2, ended)
        self.assertNotIn(SECRET, ended.stdout + ended.stderr)

    def test_a_refusal_names_the_option(self):
        serve = ("serve", "--listen", "127.0.0.1:0", "--storage", self.storage)
        rows = [("--lease", "0"), ("--lease", "soon"), ("--timeout", "0"), ("--timeout", "20000h"),
                ("--poll-interval", "0"), ("--retry-base", "20000h"), ("--drain", "soon"),
                ("--shutdown-delay", "soon"), ("--broker-max-publish-lag", "20000h"),
                ("--idle-timeout", "0"), ("--write-timeout", "x"), ("--rate-limit", "0"),
                ("--trusted-proxy", "x"), ("--cors-origin", "x"), ("--admin-listen", "x"),
                ("--items", "x"), ("--processor", "x"), ("--broker", "x"), ("--in-flight", "0"),
                ("--broker-file", "/nowhere"), ("--log", "x")]
        for option, value in rows:
            with self.subTest(option=option, value=value):
                ended = run(*serve, option, value)
                self.assertEqual(ended.returncode, 2, ended)
                self.assertIn(option, ended.stderr)

    def test_a_long_pause_between_attempts_is_taken(self):
        running = self.serve("--retry-base", "2h")
        self.assertEqual(running.stop()[0], 0)

    def test_the_admin_listens_to_others_only_by_admission(self):
        for command in (("serve", "--listen", "127.0.0.1:0", "--processor", "simulate:0"),
                        ("work",)):
            with self.subTest(command):
                command = (*command, "--storage", self.storage, "--admin-listen", "0.0.0.0:0")
                for admitted in ((), ("--insecure-http",), ("--insecure-no-auth",)):
                    ended = run(*command, *admitted)
                    self.assertEqual(ended.returncode, 2, ended)
                    self.assertIn("--admin-listen", ended.stderr)
                running = self.start(*command, "--insecure-http", "--insecure-no-auth")
                self.assertEqual(running.stop()[0], 0)


if __name__ == "__main__":
    main()
