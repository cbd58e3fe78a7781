"""Three PostgreSQL servers that Patroni keeps available, with etcd, on loopback: for tests that take
the leader away. Everything is in one directory, and gone when the cluster is closed.

Debian's packages patroni, etcd-server and postgresql-15 have to be installed: missing() names what
is not.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import postgres_node

DEADLINE_S = 240  # for any single wait; far above what is needed
TTL_S = 20        # Patroni allows no less
LOOP_S = 2
SCOPE = "orderproc"


def missing():
    programs = [name for name in ("patroni", "etcd") if not shutil.which(name)]
    return programs + ([] if postgres_node.programs() else ["postgres"])


def free_ports(count):
    """Nobody had them a moment ago."""
    held = [socket.socket() for _ in range(count)]
    try:
        for it in held:
            it.bind(("127.0.0.1", 0))
        return [it.getsockname()[1] for it in held]
    finally:
        for it in held:
            it.close()


class Member:
    """A host, as it were: Patroni and the server that it runs."""

    def __init__(self, cluster, name, port, rest):
        self.cluster, self.name, self.port, self.rest = cluster, name, port, rest
        self.folder = f"{cluster.folder}/{name}"
        os.mkdir(self.folder, 0o755)
        if cluster.user:
            os.chown(self.folder, cluster.user.pw_uid, cluster.user.pw_gid)
        self.file = f"{self.folder}/patroni.json"
        with open(self.file, "w", encoding="ascii") as out:
            json.dump(self.settings(), out)
        self.patroni = None

    def settings(self):
        return {
            "scope": SCOPE,
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}",
                        "connect_address": f"127.0.0.1:{self.rest}"},
            "etcd3": {"host": f"127.0.0.1:{self.cluster.etcd_port}"},
            "bootstrap": {
                "dcs": {"ttl": TTL_S, "loop_wait": LOOP_S, "retry_timeout": 5,
                        "maximum_lag_on_failover": 1 << 30,
                        "synchronous_mode": self.cluster.synchronous,
                        "synchronous_mode_strict": self.cluster.synchronous,
                        "postgresql": {"use_pg_rewind": True, "use_slots": True,
                                       "parameters": {"max_connections": 100,
                                                      "shared_buffers": "32MB",
                                                      "wal_log_hints": "on"}}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "trust"}, "no-sync",
                           "data-checksums"],
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust",
                           "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": f"{self.folder}/data",
                "bin_dir": self.cluster.bin,
                "pgpass": f"{self.folder}/pgpass",
                "authentication": {"superuser": {"username": "postgres"},
                                   "replication": {"username": "replicator"},
                                   "rewind": {"username": "postgres"}},
                # What is written survives a kill of all processes, not a power cut.
                "parameters": {"unix_socket_directories": self.folder, "fsync": "off",
                               "log_min_messages": "log"},
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
            },
        }

    def start(self):
        with open(f"{self.folder}/log", "ab") as out:
            self.patroni = subprocess.Popen(["patroni", self.file], stdout=out,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            **self.cluster.options())

    def processes(self):
        """Patroni, the server, and all of its processes, which have sessions of their own."""
        found, newest = [], []
        if self.patroni and self.patroni.poll() is None:
            newest.append(self.patroni.pid)
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"{self.folder}/data/postmaster.pid", encoding="ascii") as file:
                pid = int(file.readline())
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                if self.folder in file.read():
                    newest.append(pid)
        while newest:
            found += newest
            listed = subprocess.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, newest))],
                                    text=True, check=False, stdout=subprocess.PIPE).stdout
            newest = [pid for pid in map(int, listed.split()) if pid not in found]
        return found

    def signal(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.patroni:
            self.patroni.wait(DEADLINE_S)

    def close(self):
        self.signal(signal.SIGCONT)
        self.kill()


class Cluster:
    def __init__(self, synchronous=True, members=3):
        self.synchronous = synchronous
        self.bin = postgres_node.programs()
        self.folder = tempfile.mkdtemp(prefix="orderproc-cluster-")
        os.chmod(self.folder, 0o755)
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.etcd = None
        self.members = []
        try:
            ports = free_ports(2 + 2 * members)
            self.etcd_port = ports[0]
            self.start_etcd(ports[0], ports[1])
            self.members = [Member(self, f"node{i + 1}", ports[2 + 2 * i], ports[3 + 2 * i])
                            for i in range(members)]
            self.members[0].start()
            self.wait(lambda: self.leader(), "a first leader")
            for it in self.members[1:]:
                it.start()
            self.wait_for_standbys()
        except BaseException:
            self.close()
            raise

    def options(self):
        drop = {"user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": []} if self.user else {}
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                                            "HOME": self.folder},
                "stdin": subprocess.DEVNULL, **drop}

    def start_etcd(self, client, peer):
        os.mkdir(f"{self.folder}/etcd", 0o700)
        if self.user:
            os.chown(f"{self.folder}/etcd", self.user.pw_uid, self.user.pw_gid)
        with open(f"{self.folder}/etcd.log", "ab") as out:
            self.etcd = subprocess.Popen(
                ["etcd", "--data-dir", f"{self.folder}/etcd",
                 "--listen-client-urls", f"http://127.0.0.1:{client}",
                 "--advertise-client-urls", f"http://127.0.0.1:{client}",
                 "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-cluster", f"default=http://127.0.0.1:{peer}"],
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **self.options())

    @property
    def url(self):
        hosts = ",".join(f"127.0.0.1:{it.port}" for it in self.members)
        return f"postgresql://postgres@{hosts}/postgres"

    def view(self):
        """What the members say of themselves, by name; of those that answer."""
        for it in self.members:
            with contextlib.suppress(OSError, ValueError):
                with urllib.request.urlopen(f"http://127.0.0.1:{it.rest}/cluster",
                                            timeout=2) as answer:
                    return {member["name"]: member for member in json.load(answer)["members"]}
        return {}

    def leader(self):
        """The member that is shown as a leader that runs."""
        view = self.view()
        for it in self.members:
            member = view.get(it.name, {})
            if member.get("role") == "leader" and member.get("state") == "running":
                return it
        return None

    def has_standbys(self):
        view = self.view()
        roles = sorted(it.get("role") for it in view.values())
        wanted = ["leader", "replica", "sync_standby"] if self.synchronous else \
            ["leader"] + ["replica"] * (len(self.members) - 1)
        if len(self.members) == 2 and self.synchronous:
            wanted = ["leader", "sync_standby"]
        timelines = {it.get("timeline") for it in view.values()}
        return roles == wanted and len(timelines) == 1 and all(
            it.get("state") in ("running", "streaming") and
            (it.get("role") == "leader" or it.get("lag") == 0 or it.get("lag", 1) < 1 << 20)
            for it in view.values())

    def wait_for_standbys(self):
        self.wait(self.has_standbys, "standbys that follow")

    def wait(self, true_at_last, what):
        give_up = time.monotonic() + DEADLINE_S
        while True:
            found = true_at_last()
            if found:
                return found
            if time.monotonic() > give_up:
                raise AssertionError(f"never happened: {what}; {self.view()}; {self.logs()}")
            time.sleep(0.1)  # there is no event to wait for

    def logs(self):
        texts = []
        for it in self.members:
            with contextlib.suppress(OSError):
                with open(f"{it.folder}/log", encoding="utf-8", errors="replace") as file:
                    texts.append(f"{it.name}: {file.read()[-1500:]}")
        return "\n".join(texts)

    def switch_over(self):
        """As an operator does who takes the leader down for a while."""
        leader = self.leader()
        body = json.dumps({"leader": leader.name}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{leader.rest}/switchover", body,
                                         {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.read().decode()

    def sql(self, text, member=None):
        on = member or self.leader()
        done = subprocess.run([f"{self.bin}/psql", "-h", "127.0.0.1", "-p", str(on.port), "-U",
                               "postgres", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", text],
                              check=False, text=True, stdout=subprocess.PIPE, timeout=DEADLINE_S,
                              stderr=subprocess.STDOUT, **self.options())
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout.strip()

    def close(self):
        for it in self.members:
            it.close()
        if self.etcd:
            self.etcd.kill()
            self.etcd.wait(DEADLINE_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
