"""A proxy that spoils requests as told."""

import http.client
import http.server
import socket
import threading

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


class FlakyProxy:
    """Passes requests on to `target` (host, port), which may be changed at any time.

    plan: what becomes of the next requests, the first one first; once it is empty, requests are
    passed on. "refuse": the connection is closed and the server never sees the request. "lose": the
    server carries it out, and the answer is lost. (status, fields): this answer, not the server's.
    seen: (method, target, fields) of all requests.
    """

    def __init__(self, test, target):
        self.target = target
        self.plan = []
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                outer.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # connections that break are wanted
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def handle(self, asked):
        body = asked.rfile.read(int(asked.headers.get("Content-Length", 0)))
        self.seen.append((asked.command, asked.path, dict(asked.headers.items())))
        what = self.plan.pop(0) if self.plan else "pass"
        if isinstance(what, tuple):
            status, fields = what
            asked.send_response(status)
            for name, value in fields.items():
                asked.send_header(name, value)
            asked.send_header("Content-Length", "0")
            asked.end_headers()
            return
        if what == "refuse":
            self.cut(asked)
            return
        try:
            self.pass_on(asked, body, what)
        except (OSError, http.client.HTTPException):
            self.cut(asked)

    @staticmethod
    def cut(asked):
        asked.close_connection = True
        try:
            asked.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def pass_on(self, asked, body, what):
        upstream = http.client.HTTPConnection(*self.target, timeout=60)
        try:
            fields = {name: value for name, value in asked.headers.items()
                      if name.lower() not in HOP_BY_HOP}
            upstream.request(asked.command, asked.path, body or None, fields)
            answer = upstream.getresponse()
            if what == "lose":
                answer.read()
                self.cut(asked)
                return
            asked.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    asked.send_header(name, value)
            if answer.length is not None or answer.status == 204:
                asked.end_headers()
                asked.wfile.write(answer.read())
                return
            asked.send_header("Transfer-Encoding", "chunked")
            asked.end_headers()
            while some := answer.read1(65536):
                asked.wfile.write(b"%x\r\n%s\r\n" % (len(some), some))
            if not answer.isclosed():
                raise http.client.IncompleteRead(b"")
            asked.wfile.write(b"0\r\n\r\n")
        finally:
            upstream.close()
