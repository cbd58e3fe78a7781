#!/usr/bin/env python3
"""A RabbitMQ node of a test's own: private directory, ports and epmd, no service.

As a module: Node. As a program: starts a node, with TLS too if "tls" is asked for, prints its port,
that for TLS and its directory, and then, for each line on its standard input, does what it says and
prints one line, "ok …" or "failed …":

  kill            SIGKILL, and wait until it is gone
  stop            the polite way
  start           again, with what it had stored
  wipe            kill, forget everything stored, start
  pause, resume   SIGSTOP, SIGCONT
  ctl ARGUMENT…   rabbitmqctl, words as a shell splits them; "ok" and its output

Everything ends, and the directory goes, when standard input does. Exits with 77 where
rabbitmq-server is not installed.
"""

import contextlib
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BIN = "/usr/lib/rabbitmq/bin"
DEADLINE_S = 240  # for any single wait; far above what is needed
NOT_INSTALLED = 77


def installed():
    return os.path.exists(f"{BIN}/rabbitmq-server") and shutil.which("epmd") is not None


def free_port():
    """Below what the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(15000, 32000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def make_certificates(folder):
    """ca.pem, and of it a certificate for the name localhost alone."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca_key.pem", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=orderproc test authority")
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    with open(f"{folder}/names", "w", encoding="ascii") as out:
        out.write("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca_key.pem",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "certificate.pem")


class Node:
    def __init__(self, tls=False, metrics=False):
        self.folder = tempfile.mkdtemp(prefix="orderproc-rabbitmq-")
        self.port, self.tls_port, self.metrics_port, dist, epmd = (free_port() for _ in range(5))
        self.name = f"orderproc{self.port}@localhost"
        folder = self.folder
        with open(f"{folder}/rabbitmq.conf", "w", encoding="ascii") as out:
            out.write(f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
                      "disk_free_limit.absolute = 1MB\n"
                      "vm_memory_high_watermark.absolute = 1GB\n"
                      "log.console = false\n")
            if tls:
                make_certificates(folder)
                out.write(f"listeners.ssl.default = 127.0.0.1:{self.tls_port}\n"
                          f"ssl_options.cacertfile = {folder}/ca.pem\n"
                          f"ssl_options.certfile = {folder}/certificate.pem\n"
                          f"ssl_options.keyfile = {folder}/key.pem\n"
                          "ssl_options.verify = verify_none\n")
            if metrics:
                out.write("prometheus.tcp.ip = 127.0.0.1\n"
                          f"prometheus.tcp.port = {self.metrics_port}\n")
        plugins = "[rabbitmq_prometheus].\n" if metrics else "[].\n"
        for name, text in (("advanced.config", "[].\n"), ("enabled_plugins", plugins)):
            with open(f"{folder}/{name}", "w", encoding="ascii") as out:
                out.write(text)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(dist),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia", "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": f"{folder}/log/node.log", "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }
        self.epmd = subprocess.Popen(["epmd", "-port", str(epmd), "-address", "127.0.0.1"],
                                     env=self.environment, stdin=subprocess.DEVNULL)
        self.server = None
        self.start()

    @property
    def url(self):
        return f"amqp://127.0.0.1:{self.port}"

    def start(self):
        with open(f"{self.folder}/out", "ab") as out:
            self.server = subprocess.Popen(
                [f"{BIN}/rabbitmq-server"], env=self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        give_up = time.monotonic() + DEADLINE_S
        while not self.answers():
            if self.server.poll() is not None or time.monotonic() > give_up:
                with open(f"{self.folder}/out", encoding="utf-8", errors="replace") as text:
                    raise RuntimeError(f"rabbitmq-server did not start: {text.read()[-2000:]}")
            time.sleep(0.05)

    def answers(self):
        """Whether it speaks AMQP: the listener is the last that starts."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as it:
                it.sendall(b"AMQP\x00\x00\x09\x01")
                return it.recv(1) == b"\x01"
        except OSError:
            return False

    def signal(self, which):
        os.killpg(self.server.pid, which)

    def kill(self):
        if self.server and self.server.poll() is None:
            self.signal(signal.SIGKILL)
            self.server.wait(DEADLINE_S)

    def stop(self):
        self.signal(signal.SIGTERM)
        self.server.wait(DEADLINE_S)

    def wipe(self):
        self.kill()
        shutil.rmtree(f"{self.folder}/mnesia")
        self.start()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def ctl(self, *arguments):
        done = subprocess.run([f"{BIN}/rabbitmqctl", "-q", "-n", self.name, *arguments],
                              env=self.environment, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=DEADLINE_S)
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments}: {done.stdout}")
        return done.stdout

    def close(self):
        self.kill()
        self.epmd.kill()
        self.epmd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def obey(node, line):
    word, *arguments = shlex.split(line)
    if word not in ("kill", "stop", "start", "wipe", "pause", "resume", "ctl"):
        raise ValueError(f"no command {word}")
    return getattr(node, word)(*arguments) or ""


def main():
    if not installed():
        return NOT_INSTALLED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not before everything ended
    with Node(tls="tls" in sys.argv[1:]) as node:
        print(node.port, node.tls_port, node.folder, flush=True)
        for line in sys.stdin:
            try:
                print("ok", " ".join(obey(node, line).split()), flush=True)
            except Exception as e:  # told to whoever asked
                print("failed", " ".join(str(e).split()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
