"""Health and readiness of the whole binary while its disk is full, and when its file is gone."""

import os
import resource
import sys
import unittest

from binary_support import BINARY, ORDER, Running, WithStorage, main, wait_until

# Becomes the program. Python ignores SIGXFSZ, and what is ignored stays so: a write beyond the
# limit then fails, as it does on a full disk.
IGNORING_SIGXFSZ = [sys.executable, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"]


class Readiness(WithStorage):
    def serve_alone(self):
        # Only clients write, and a balancer sends them elsewhere while readyz says 503.
        return Running(self, *IGNORING_SIGXFSZ, BINARY, "serve", "--listen", "127.0.0.1:0",
                       "--storage", self.storage, "--no-worker")

    def limit_files(self, running, size):
        hard = resource.prlimit(running.child.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(running.child.pid, resource.RLIMIT_FSIZE, (size, hard))

    def test_a_full_disk_that_has_room_again_makes_it_ready_by_itself(self):
        running = self.serve_alone()
        self.assertEqual(running.ask("POST", "/orders", ORDER)[0], 201)
        self.assertEqual(running.ask("GET", "/readyz"), (200, {"status": "ready"}))
        self.limit_files(running, 1)
        self.assertEqual(running.ask("POST", "/orders", dict(ORDER, order_id="ORD-2"))[0], 503)
        status, state = running.ask("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("could not be written", state["reasons"][0])
        self.assertEqual(running.ask("GET", "/healthz")[0], 200)
        self.limit_files(running, resource.RLIM_INFINITY)
        wait_until(lambda: running.ask("GET", "/readyz") == (200, {"status": "ready"}),
                   "it is ready though no client has written")
        self.assertEqual(running.ask("POST", "/orders", dict(ORDER, order_id="ORD-3"))[0], 201)

    def test_a_file_that_is_gone_is_told(self):
        running = self.serve_alone()
        self.assertEqual(running.ask("GET", "/healthz"), (200, {"status": "ok"}))
        os.unlink(self.file)
        for path in ("/healthz", "/readyz"):
            status, state = wait_until(
                lambda at=path: (lambda got: got if got[0] == 503 else None)(
                    running.ask("GET", at)), f"{path} says 503")
            self.assertIn("storage: cannot be read", state["reasons"][0])


if __name__ == "__main__":
    main()
