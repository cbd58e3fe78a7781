"""A receiver of webhooks in Python, with nothing but the standard library. Run: PORT SECRET"""

import base64
import hashlib
import hmac
import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

work = queue.Queue()
seen = set()  # of webhook-ids; a real one keeps them for days, in a database
lock = threading.Lock()


def is_genuine(secret, headers, body):
    """Whether the message is from whoever has the secret, and not older than five minutes."""
    sent = headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b"%s.%s.%s" % (headers.get("webhook-id", "").encode(), sent.encode(), body)
    wanted = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return any(hmac.compare_digest(wanted.encode(), one.encode())
               for one in headers.get("webhook-signature", "").split(" "))


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        genuine = is_genuine(sys.argv[2], self.headers, body)
        if genuine:
            with lock:
                fresh = self.headers["webhook-id"] not in seen
                seen.add(self.headers["webhook-id"])
            if fresh:
                work.put(json.loads(body))
        self.send_response(204 if genuine else 401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def handle_all():
    """What there is to do, apart from the answers, which have to come within 15 seconds."""
    versions = {}  # of orders
    while True:
        data = work.get()["data"]
        if "order_id" not in data or data["version"] <= versions.get(data["order_id"], 0):
            continue  # a test, or older than what is known
        versions[data["order_id"]] = data["version"]
        print(data["order_id"], data["event"], data["version"], flush=True)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listens on", server.server_port, flush=True)
    threading.Thread(target=handle_all, daemon=True).start()
    server.serve_forever()
