"""Mails what an endpoint is told of: a receiver of webhooks in front of an SMTP server.

Run: PORT SECRET SMTP_HOST:PORT FROM TO. A message that the SMTP server does not take is answered
with 503, so it comes again: after 5 s, then ever more rarely, for three days.
"""

import base64
import hashlib
import hmac
import json
import smtplib
import sys
import time
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer

seen = set()


def is_genuine(secret, headers, body):
    sent = headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b"%s.%s.%s" % (headers.get("webhook-id", "").encode(), sent.encode(), body)
    wanted = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return any(hmac.compare_digest(wanted.encode(), one.encode())
               for one in headers.get("webhook-signature", "").split(" "))


def mail(event, smtp, sender, to):
    data = event["data"]
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    # The same event has the same Message-ID, so that a mail program shows a repeat once.
    message["Message-ID"] = f"<{event['id']}@orderproc.invalid>"
    message["Subject"] = f"Order {data['order_id']}: {data['event']}"
    message.set_content(f"Order {data['order_id']} is {data['to']} at version {data['version']}.\n")
    host, port = smtp.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=10) as server:
        server.send_message(message)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status_for(body))
        self.send_header("content-length", "0")
        self.end_headers()

    def status_for(self, body):
        if not is_genuine(sys.argv[2], self.headers, body):
            return 401
        name = self.headers["webhook-id"]
        event = json.loads(body)
        if name in seen or "order_id" not in event["data"]:
            return 204
        try:
            mail(event, *sys.argv[3:6])
        except OSError:
            return 503
        seen.add(name)
        return 204

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listens on", server.server_port, flush=True)
    server.serve_forever()
