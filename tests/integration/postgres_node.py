#!/usr/bin/env python3
"""A PostgreSQL server of a test's own: private directory and socket, no service, no TCP port.

As a module: Node. As a program: starts a server, prints the directory of its socket, and then, for
each line on its standard input, does what it says and prints one line, "ok …" or "failed …":

  kill            SIGKILL to all of its processes, and wait until they are gone
  stop            without waiting for its clients
  start           again, with what it had stored
  sql TEXT        psql, as the superuser; "ok" and what it printed
  standby         starts a second server that follows the first one, which from then on commits
                  nothing without it; "ok" and the directory of its socket
  detach          the second server gets nothing any more, and the first one does not wait for it
  promote         the second server accepts writes; the first one goes on running

Everything ends, and the directory goes, when standard input does. Exits with 77 where PostgreSQL's
server is not installed. What is written survives a kill, not a power cut: fsync is off.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 240  # for any single wait; far above what is needed
NOT_INSTALLED = 77
PORT = "5432"  # a part of the socket's name


def programs():
    """The newest version's; Debian keeps them apart."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"),
                   key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(found[-1]) if found else None


class Node:
    def __init__(self, follows=None, durable=False, environment=None):
        """durable: syncs what it commits. environment: of the server."""
        self.environment = environment or {}
        self.bin = programs()
        self.folder = tempfile.mkdtemp(prefix="orderproc-postgres-")
        self.data = f"{self.folder}/data"
        # The server refuses to run as root.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.folder, 0o755)
        self.server = None
        self.standby_node = None
        if follows:
            self.run("pg_basebackup", "-h", follows.folder, "-p", PORT, "-U", "test", "-D",
                     self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        else:
            self.run("initdb", "-D", self.data, "-U", "test", "--auth=trust", "-E", "UTF8",
                     "--no-locale", "--no-sync")
        with open(f"{self.data}/postgresql.conf", "a", encoding="ascii") as out:
            out.write("listen_addresses = ''\n"
                      f"unix_socket_directories = '{self.folder}'\n"
                      f"port = {PORT}\n"
                      f"fsync = {'on' if durable else 'off'}\n"
                      "shared_buffers = 64MB\n"
                      "max_connections = 100\n"
                      "log_min_messages = fatal\n")
        self.start()

    @property
    def url(self):
        return f"postgresql:///test?host={self.folder}&user=test"

    def options(self):
        drop = {"user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": []} if self.user else {}
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **drop}

    def run(self, program, *arguments):
        done = subprocess.run([f"{self.bin}/{program}", *arguments], check=False, text=True,
                              stdout=subprocess.PIPE, timeout=DEADLINE_S, **self.options())
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")
        return done.stdout

    def start(self):
        how = self.options()
        how["env"].update(self.environment)
        with open(f"{self.folder}/log", "ab") as out:
            self.server = subprocess.Popen([f"{self.bin}/postgres", "-D", self.data], stdout=out,
                                           start_new_session=True, **how)
        give_up = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(RuntimeError):
                self.run("pg_isready", "-h", self.folder, "-p", PORT)
                break
            if self.server.poll() is not None or time.monotonic() > give_up:
                with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as text:
                    raise RuntimeError(f"postgres did not start: {text.read()[-2000:]}")
            time.sleep(0.05)
        with contextlib.suppress(RuntimeError):  # it is there already, or this is a standby
            self.run("createdb", "-h", self.folder, "-p", PORT, "-U", "test", "test")

    def kill(self):
        """Its processes are sessions of their own: they are found by their parent."""
        if not self.server or self.server.poll() is not None:
            return
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.server.pid)], text=True,
                                  check=False, stdout=subprocess.PIPE).stdout.split()
        for pid in [self.server.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.wait(DEADLINE_S)
        # The lock of its memory goes with the last of them.
        give_up = time.monotonic() + DEADLINE_S
        while any(os.path.exists(f"/proc/{pid}") for pid in children):
            if time.monotonic() > give_up:
                raise RuntimeError("its processes do not end")
            time.sleep(0.01)

    def stop(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(DEADLINE_S)

    def standby(self):
        """A second node that has all that was committed here, always."""
        self.standby_node = Node(follows=self)
        self.sql("ALTER SYSTEM SET synchronous_standby_names TO '*'")
        self.sql("SELECT pg_reload_conf()")
        self.until("SELECT coalesce(string_agg(sync_state, ' '), '') FROM pg_stat_replication",
                   "sync")
        self.sql("CHECKPOINT")  # the checkpointer tells the others of the setting before it
        return self.standby_node.folder

    def detach(self):
        self.sql("ALTER SYSTEM RESET synchronous_standby_names")
        self.sql("SELECT pg_reload_conf()")
        self.sql("CHECKPOINT")
        standby = self.standby_node
        standby.sql("ALTER SYSTEM SET primary_conninfo TO ''")
        standby.sql("SELECT pg_reload_conf()")
        self.until("SELECT count(*) FROM pg_stat_replication", "0")

    def promote(self):
        self.standby_node.run("pg_ctl", "-D", self.standby_node.data, "-w", "-t",
                              str(DEADLINE_S), "promote")

    def until(self, query, wanted):
        give_up = time.monotonic() + DEADLINE_S
        while self.sql(query).strip() != wanted:
            if time.monotonic() > give_up:
                raise RuntimeError(f"{query} does not become {wanted}")
            time.sleep(0.02)

    def sql(self, text):
        return self.run("psql", "-h", self.folder, "-p", PORT, "-U", "test", "-d", "test", "-X",
                        "-qAt", "-v", "ON_ERROR_STOP=1", "-c", text)

    def close(self):
        if self.standby_node:
            self.standby_node.close()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def obey(node, line):
    word, _, rest = line.strip().partition(" ")
    if word == "sql":
        return node.sql(rest)
    if word not in ("kill", "stop", "start", "standby", "detach", "promote"):
        raise ValueError(f"no command {word}")
    return getattr(node, word)() or ""


def main():
    if not programs():
        return NOT_INSTALLED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not before everything ended
    with Node() as node:
        print(node.folder, flush=True)
        for line in sys.stdin:
            try:
                print("ok", " ".join(obey(node, line).split()), flush=True)
            except Exception as e:  # told to whoever asked
                print("failed", " ".join(str(e).split()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
