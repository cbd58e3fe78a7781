"""What attacks_test.py sends, and what has to come back.

Each row: a name, the bytes, the status, the problem's code (None: any), and whether the connection
ends with the answer. Several statuses: of requests that were pipelined.
"""

import json
import ssl
from collections import namedtuple

Row = namedtuple("Row", "name data status code ends")

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
HELD = "ORD-HELD"  # an order that is there, PENDING, at version 1
GOOD = {"user_id": 1, "item_ids": [1], "total_amount": 1.5}


def request(method, target, *fields, body=b"", version=b"HTTP/1.1"):
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"%s %s %s\r\n%s%s\r\n%s" % (method, target, version, b"".join(fields), length, body)


def get(target, *fields):
    return request(b"GET", target, HOST, *fields)


def post(target, body, *fields):
    return request(b"POST", target, HOST, *fields, body=body)


def order(**changes):
    return json.dumps({**GOOD, **changes}).encode()


# A request that must never be carried out, wherever it hides.
HIDDEN = post(b"/orders", order(order_id="SMUGGLED"), JSON)
START = b"POST /orders HTTP/1.1\r\n" + HOST + JSON
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SOUND = order()
IN_CHUNK = b"%x\r\n%s\r\n" % (len(SOUND), SOUND)


def length_of(text):
    return b"Content-Length: " + text + b"\r\n"


def framing():
    """Where two readers could disagree about what the request is."""
    def row(name, data, code="bad_request"):
        return Row(name, data, 400, code, True)

    own = b"%d" % len(SOUND)
    yield row("length, then chunked", START + length_of(own) + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN)
    yield row("chunked, then length", START + CHUNKED + length_of(b"4") + b"\r\n0\r\n\r\n" + HIDDEN)
    yield row("two lengths that differ", START + length_of(b"0") + length_of(own) + b"\r\n" + HIDDEN)
    yield row("two lengths that agree", START + length_of(own) * 2 + b"\r\n" + SOUND)
    yield row("a list of lengths", START + length_of(own + b", " + own) + b"\r\n" + SOUND)
    yield row("a length with a plus", START + length_of(b"+" + own) + b"\r\n" + SOUND)
    yield row("a length below zero", START + length_of(b"-1") + b"\r\n" + HIDDEN)
    yield row("a length in hexadecimal", START + length_of(b"0x10") + b"\r\n" + HIDDEN)
    yield row("a length with a decimal point", START + length_of(b"4.0") + b"\r\n" + HIDDEN)
    yield row("a length with a space inside", START + length_of(b"1 0") + b"\r\n" + HIDDEN)
    yield row("a length of 2^64", START + length_of(b"18446744073709551616") + b"\r\n" + HIDDEN)
    yield row("a length of 2^64 + 4", START + length_of(b"18446744073709551620") + b"\r\n" + HIDDEN)
    yield row("no length at all", START + length_of(b"") + b"\r\n" + HIDDEN)
    yield row("a length in other digits",
              START + length_of("١".encode()) + b"\r\n" + HIDDEN)
    for name, value in (("identity", b"identity"), ("chunked, identity", b"chunked, identity"),
                        ("identity, chunked", b"identity, chunked"), ("gzip", b"gzip"),
                        ("gzip, chunked", b"gzip, chunked"), ("xchunked", b"xchunked"),
                        ("chunked, chunked", b"chunked, chunked"), ("nothing", b""),
                        ("chunked in quotes", b'"chunked"'), ("chunked;q=1", b"chunked;q=1"),
                        ("a vertical tab", b"\x0bchunked"), ("a comma", b"chunked,")):
        coded = b"Transfer-Encoding: " + value + b"\r\n"
        yield row(f"Transfer-Encoding: {name}", START + coded + b"\r\n0\r\n\r\n" + HIDDEN)
    yield row("Transfer-Encoding twice", START + CHUNKED * 2 + b"\r\n0\r\n\r\n" + HIDDEN)
    yield row("a space behind Transfer-Encoding",
              START + b"Transfer-Encoding : chunked\r\n" + length_of(b"5") + b"\r\n0\r\n\r\n" + HIDDEN)
    yield row("a folded Transfer-Encoding",
              START + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN)
    yield row("chunked in HTTP/1.0", request(b"POST", b"/orders", HOST, JSON, CHUNKED,
                                             version=b"HTTP/1.0") + b"0\r\n\r\n" + HIDDEN)
    for name, chunks in (("no size", b"\r\n\r\n"), ("letters", b"zz\r\n"), ("0x", b"0x4\r\nabcd\r\n"),
                         ("a plus", b"+4\r\nabcd\r\n"), ("a minus", b"-4\r\nabcd\r\n"),
                         ("a space before", b" 4\r\nabcd\r\n"), ("65 bits", b"1" + b"0" * 16 + b"\r\n"),
                         ("bare LF", b"4\nabcd\n0\n\n"), ("bare CR", b"4\rabcd\r0\r\r"),
                         ("more than it says", b"1\r\n{}\r\n0\r\n\r\n"),
                         ("less than it says", b"4\r\n{}\r\n0\r\n\r\n\r\n\r\n"),
                         ("an underscore", b"1_0\r\nabcd\r\n"),
                         ("a space behind", b"4 \r\nabcd\r\n"), ("a tab behind", b"4\t\r\nabcd\r\n"),
                         ("a comma", b"4,4\r\nabcd\r\n"), ("data that ends with bare LF", b"4\r\nabcd\n0\r\n\r\n"),
                         ("NUL in the extension", b"4;a\0b\r\nabcd\r\n"), ("bare CR in the extension", b"4;a\rb\r\nabcd\r\n"),
                         ("a bracket for an extension", b"4;(\r\nabcd\r\n")):
        yield row(f"a chunk size: {name}", START + CHUNKED + b"\r\n" + chunks + HIDDEN)
    for name, text in (("bare LF", b"\n"), ("bare CR", b"\r"), ("NUL", b"\0"), ("an escape", b"\x1b")):
        yield row(f"a chunk extension with {name} in quotes",
                  START + CHUNKED + b'\r\n%x;a="%s"\r\n%s\r\n0\r\n\r\n' % (len(SOUND), text, SOUND) + HIDDEN)
        yield row(f"a last chunk's extension with {name} in quotes",
                  START + CHUNKED + b"\r\n" + IN_CHUNK + b'0;a="%s"\r\n\r\n' % text + HIDDEN)
    yield row("a chunk extension with a bare LF",
              START + CHUNKED + b"\r\n4;a\nb\r\nabcd\r\n0\r\n\r\n" + HIDDEN)
    for name, text in (("a space", b"X: b\r\n c\r\n"), ("a tab", b"X:\r\n\tc\r\n"), ("nothing", b"X: b\r\n \r\n"),
                       ("a length", b"X: b\r\nContent-Length:\r\n 5\r\n")):
        yield row(f"a folded trailer: {name}",
                  START + CHUNKED + b"\r\n" + IN_CHUNK + b"0\r\n" + text + b"\r\n" + HIDDEN)
    yield row("a trailer with a space in its name",
              START + CHUNKED + b"\r\n" + IN_CHUNK + b"0\r\nX Y: b\r\n\r\n" + HIDDEN)


def lines():
    """Requests that are none, or whose lines are not as RFC 9112 wants them."""
    def row(name, data, status=400, code="bad_request"):
        return Row(name, data, status, code, True)

    yield row("HTTP/0.9 with an empty line", b"GET /orders\r\n\r\n")
    yield row("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield row("HTTP/2.0", request(b"GET", b"/orders", HOST, version=b"HTTP/2.0"))
    yield row("HTTP/1.2", request(b"GET", b"/orders", HOST, version=b"HTTP/1.2"))
    yield row("HTTP/1.10", request(b"GET", b"/orders", HOST, version=b"HTTP/1.10"))
    yield row("another protocol", request(b"GET", b"/orders", HOST, version=b"RTSP/1.1"))
    yield row("the hello of TLS", client_hello())
    yield row("the greeting of SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
    yield row("zeros", b"\0" * 1000)
    yield row("two empty lines before", b"\r\n\r\n" + get(b"/orders"))
    yield row("a space before", b" " + get(b"/orders"))
    yield row("a bare LF before", b"\n" + get(b"/orders"))
    yield row("no Host", request(b"GET", b"/orders"))
    yield row("two Host", request(b"GET", b"/orders", HOST, b"Host: b\r\n"))
    yield row("Host, and one without a value", request(b"GET", b"/orders", HOST, b"Host:\r\n"))
    yield row("Host with a path", request(b"GET", b"/orders", b"Host: a/b\r\n"))
    yield row("Host with a user", request(b"GET", b"/orders", b"Host: a@b\r\n"))
    yield row("Host with a list", request(b"GET", b"/orders", b"Host: a, b\r\n"))
    yield row("bare LF", b"GET /orders HTTP/1.1\nHost: a\n\n")
    yield row("one bare LF", b"GET /orders HTTP/1.1\r\nHost: a\nX: b\r\n\r\n")
    yield row("bare CR", b"GET /orders HTTP/1.1\r\nHost: a\rX: b\r\n\r\n")
    yield row("two CR", b"GET /orders HTTP/1.1\r\r\nHost: a\r\n\r\n")
    yield row("a folded field", get(b"/orders", b"X: a\r\n\tb\r\n"))
    yield row("a folded first field", b"GET /orders HTTP/1.1\r\n Host: a\r\n\r\n")
    yield row("a name with a space", get(b"/orders", b"X Y: b\r\n"))
    yield row("a name with a space behind", get(b"/orders", b"X : b\r\n"))
    yield row("a name with a control character", get(b"/orders", b"X\x7f: b\r\n"))
    yield row("an empty name", get(b"/orders", b": b\r\n"))
    yield row("no colon", get(b"/orders", b"X\r\n"))
    yield row("NUL in a name", get(b"/orders", b"X\0Y: b\r\n"))
    yield row("NUL in a value", get(b"/orders", b"X: a\0b\r\n"))
    yield row("an escape sequence in a value", get(b"/orders", b"X: \x1b[2J\r\n"))
    yield row("NUL in the target", get(b"/orders\0"))
    yield row("a tab in the target", get(b"/orders\t/x"))
    yield row("a space in the target", get(b"/orders x"))
    yield row("a fragment", get(b"/orders#x"))
    yield row("two spaces", get(b" /orders"))
    yield row("no target", b"GET  HTTP/1.1\r\n" + HOST + b"\r\n")
    yield row("a method with a control character", request(b"G\x01T", b"/orders", HOST))
    yield row("a method with a bracket", request(b"G(T", b"/orders", HOST))
    yield row("authority-form", get(b"a:80"))
    yield row("CONNECT", request(b"CONNECT", b"a:80", HOST))
    yield row("a path without its slash", get(b"orders"))
    yield row("another expectation", post(b"/orders", SOUND, JSON, b"Expect: 200-ok\r\n"), 417,
              "expectation_failed")


def pages():
    """What a foreign page has a browser send, and what a name that was rebound to us reads."""
    def row(name, data, code, ends=False):
        return Row(name, data, 403, code, ends)

    evil = b"Origin: https://evil.example\r\n"
    held = b"/orders/" + HELD.encode()
    for what in (b"/cancel", b"/retry"):
        yield row(f"a page of another site: {what.decode()}", post(held + what, b"", evil), "cross_site")
    yield row("a page of another site, as browsers say it",
              post(held + b"/cancel", b"", b"Sec-Fetch-Site: cross-site\r\n", evil), "cross_site")
    yield row("a page of another port", post(held + b"/cancel", b"", b"Sec-Fetch-Site: same-site\r\n"), "cross_site")
    yield row("a page without an origin", post(held + b"/cancel", b"", b"Origin: null\r\n"), "cross_site")
    yield row("a form of another site",
              post(b"/orders", SOUND, b"Content-Type: text/plain\r\n", evil), "cross_site")
    yield row("an order of another site", post(b"/orders", SOUND, JSON, evil), "cross_site")
    yield row("a batch of another site", post(b"/orders/batch", b"[" + SOUND + b"]", JSON, evil), "cross_site")
    yield row("a delete of another site", request(b"DELETE", held, HOST, evil), "cross_site")
    yield row("a large body of another site", START + evil + length_of(b"200000") + b"\r\n", "cross_site", True)
    for name in (b"evil.example", b"evil.example:8000", b"localhost.evil.example", b"10.0.0.1", b"[::2]", b"a"):
        host = b"Host: " + name + b"\r\n"
        yield row(f"rebound: {name.decode()}", request(b"GET", b"/orders", host), "foreign_host")
    rebound = b"Host: evil.example\r\n"
    yield row("rebound, its own page", request(b"POST", held + b"/cancel", rebound, b"Origin: http://evil.example\r\n",
                                              b"Sec-Fetch-Site: same-origin\r\n"), "foreign_host")
    yield row("rebound, the feed", request(b"GET", b"/events", rebound), "foreign_host")
    yield row("rebound, the documents", request(b"GET", b"/openapi.json", rebound), "foreign_host")
    yield row("rebound, a probe", request(b"GET", b"/readyz", rebound), "foreign_host")


def client_hello():
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="a").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def sizes():
    """Beyond the limits, and just within."""
    def row(name, data, status, code, ends=True):
        return Row(name, data, status, code, ends)

    yield row("a target of 2,049 bytes", get(b"/" + b"a" * 2048), 414, "uri_too_long")
    yield row("a target of 2,048 bytes", get(b"/" + b"a" * 2047), 404, "not_found", False)
    yield row("a target of 9,000 bytes", get(b"/" + b"a" * 9000), 414, "uri_too_long")
    yield row("a field of 9,000 bytes", get(b"/orders", b"X: " + b"a" * 9000 + b"\r\n"), 431,
              "header_too_large")
    yield row("a name of 9,000 bytes", get(b"/orders", b"X" * 9000 + b": a\r\n"), 431,
              "header_too_large")
    yield row("a header without an end", b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 4000, 431,
              "header_too_large")
    yield row("65 fields", get(b"/orders", b"X: a\r\n" * 64), 431, "header_too_large")
    yield row("64 fields", get(b"/orders", b"X: a\r\n" * 63), 200, None, False)
    yield row("a long query", get(b"/orders?" + b"a=1&" * 600), 414, "uri_too_long")
    yield row("a body of 256 KiB and a byte", START + length_of(b"262145") + b"\r\n", 413,
              "payload_too_large")
    yield row("a body of 4 EiB", START + length_of(b"4611686018427387904") + b"\r\n", 413,
              "payload_too_large")
    yield row("a body that it waits to send", START + length_of(b"262145") +
              b"Expect: 100-continue\r\n\r\n", 413, "payload_too_large")
    yield row("a chunk of 256 KiB and a byte", START + CHUNKED + b"\r\n40001\r\n", 413,
              "payload_too_large")
    yield row("chunks that are too much together", START + CHUNKED + b"\r\n2\r\n{}\r\n3ffff\r\n", 413,
              "payload_too_large")
    yield row("a chunk of 2^63", START + CHUNKED + b"\r\n8000000000000000\r\n", 413,
              "payload_too_large")
    yield row("trailers of 9,000 bytes",
              START + CHUNKED + b"\r\n0\r\nX: " + b"a" * 9000, 431, "header_too_large")
    yield row("a chunk extension of 9,000 bytes",
              START + CHUNKED + b"\r\n1;" + b"a" * 9000, 431, "header_too_large")
    yield row("a batch of 8 MiB and a byte",
              b"POST /orders/batch HTTP/1.1\r\n" + HOST + JSON + length_of(b"8388609") + b"\r\n", 413,
              "payload_too_large")
    yield row("a batch of 1,001 orders",
              post(b"/orders/batch", b"[" + b",".join([b"{}"] * 1001) + b"]", JSON), 413,
              "payload_too_large", False)
    yield row("256 KiB of brackets", post(b"/orders", b"[" * 262144, JSON), 400, "invalid_json", False)
    yield row("256 KiB of digits",
              post(b"/orders", order()[:-1] + b',"user_id":' + b"9" * 200_000 + b"}", JSON), 400,
              "invalid_json", False)
    names = b",".join(b'"\\u0061%d":0' % i for i in range(15_000))
    yield row("15,000 escaped names in metadata",
              post(b"/orders", order()[:-1] + b',"metadata":{' + names + b"}}", JSON), 422, "validation", False)
    yield row("15,000 escaped names in no field",
              post(b"/orders", order()[:-1] + b',"x":{' + names + b"}}", JSON), 422, "validation", False)
    yield row("15,000 escaped names in an order",
              post(b"/orders", b"{" + names + b"}", JSON), 400, "invalid_json", False)
    yield row("metadata of 16 KiB and more", post(b"/orders", order(metadata={"a": "b" * 16384}), JSON),
              422, "validation", False)


def targets():
    """Paths and queries that mean something else elsewhere."""
    def row(name, target, status=404, code="not_found", method=b"GET"):
        return Row(name, request(method, target, HOST), status, code, False)

    yield row("..", b"/orders/..")
    yield row("../..", b"/orders/../../etc/passwd")
    yield row("%2e%2e", b"/orders/%2e%2e")
    yield row("%2e%2e%2f", b"/orders/%2e%2e%2f%2e%2e%2fetc%2fpasswd")
    yield row("%2f", b"/orders/a%2fb")
    yield row("%00", b"/orders/" + HELD.encode() + b"%00")
    yield row("%0d%0a", b"/orders/a%0d%0aSet-Cookie:%20a=b")
    yield row("a backslash", b"/orders\\a")
    yield row("%5c", b"/orders/..%5c..")
    yield row("an overlong dot", b"/orders/%c0%ae%c0%ae")
    yield row("half an escape", b"/orders/%2", 400, "bad_request")
    yield row("no escape", b"/orders/%zz", 400, "bad_request")
    yield row("an escape of an escape", b"/orders/%252e")
    yield row("two slashes", b"//orders")
    yield row("a slash behind", b"/orders/")
    yield row("a semicolon", b"/orders;a=b")
    yield row("bytes that are no ASCII", b"/orders/\xff\xfe")
    yield row("a terminal's escape sequence", b"/orders/\xc2\x9b2J")
    yield row("a line separator", b"/orders/\xe2\x80\xa8now")
    yield row("writing from right to left", b"/orders/\xe2\x80\xaenow")
    yield row("a delete character", b"/orders/%7f")
    yield row("an id of 65", b"/orders/" + b"a" * 65)
    yield row("an id that is a route", b"/orders/%62atch")
    yield row("a quote", b"/orders/'%20OR%201=1--")
    yield row("absolute-form of another host", b"http://elsewhere/orders/none")
    yield row("absolute-form of a file", b"file:///etc/passwd")
    yield row("asterisk-form", b"*")
    yield row("TRACE", b"/orders", 405, "method_not_allowed", b"TRACE")
    yield row("a method of its own", b"/orders", 405, "method_not_allowed", b"BREW")
    yield row("a method in lower case", b"/orders", 405, "method_not_allowed", b"post")
    yield row("PUT of the list", b"/orders", 405, "method_not_allowed", b"PUT")
    yield row("an unknown parameter", b"/orders?admin=1", 400, "invalid_parameter")
    yield row("a parameter twice", b"/orders?limit=1&limit=2", 400, "invalid_parameter")
    yield row("a limit of 0", b"/orders?limit=0", 400, "invalid_parameter")
    yield row("a limit of 2^64 + 1", b"/orders?limit=18446744073709551617", 400, "invalid_parameter")
    yield row("a limit with NUL", b"/orders?limit=1%00", 400, "invalid_parameter")
    yield row("a user with a quote", b"/orders?user_id=1'--", 400, "invalid_parameter")
    yield row("a user of 2^63", b"/orders?user_id=9223372036854775808", 400, "invalid_parameter")
    yield row("a status that there is not", b"/orders?status=PAID%27", 400, "invalid_parameter")
    yield row("a status in the path", b"/orders/status/%50AID%00")
    yield row("a time that there is not", b"/orders?created_from=2026-02-30T00:00:00Z", 400,
              "invalid_parameter")
    yield row("a cursor of somebody else's", b"/orders?cursor=" + b"A" * 34, 400, "invalid_parameter")
    yield row("a cursor that is too long", b"/orders?cursor=" + b"A" * 1500, 400, "invalid_parameter")
    yield row("a query with half an escape", b"/orders?limit=%", 400, "bad_request")


def bodies():
    """Orders that are none."""
    def row(name, body, status=422, code="validation", *fields):
        return Row(name, post(b"/orders", body, *(fields or (JSON,))), status, code, False)

    def text(field, value):
        return b'{"user_id":1,"item_ids":[1],"total_amount":1.5,"%s":%s}' % (field, value)

    def amount(value):
        return b'{"user_id":1,"item_ids":[1],"total_amount":%s}' % value

    yield Row("no body", post(b"/orders", b"", JSON), 400, "invalid_json", False)
    for name, body in (
            ("NUL", b"\0"), ("a byte order mark", b"\xef\xbb\xbf" + SOUND), ("UTF-16", SOUND.decode().encode("utf-16")),
            ("half an object", SOUND[:-1]), ("something behind", SOUND + b"x"), ("two orders", SOUND * 2),
            ("a comma behind", SOUND[:-1] + b",}"), ("single quotes", b"{'user_id':1}"),
            ("a comment", b"/**/" + SOUND), ("NaN", amount(b"NaN")), ("Infinity", amount(b"-Infinity")),
            ("a leading zero", amount(b"01.5")), ("a leading plus", amount(b"+1")),
            ("a point without digits", amount(b"1.")), ("hexadecimal", amount(b"0x10")),
            ("depth 33", text(b"metadata", b'{"a":' * 32 + b"1" + b"}" * 32)),
            ("depth 100,000", text(b"metadata", b"[" * 100_000)),
            ("a name twice", b'{"user_id":2,' + SOUND[1:]),
            ("a name twice, escaped", b'{"user\\u005fid":2,' + SOUND[1:]),
            ("a name twice in metadata", text(b"metadata", b'{"a":1,"a":2}')),
            ("half a surrogate", text(b"metadata", b'{"a":"\\ud800"}')),
            ("surrogates the wrong way round", text(b"metadata", b'{"a":"\\udc00\\ud800"}')),
            ("a surrogate in UTF-8", text(b"metadata", b'{"a":"\xed\xa0\x80"}')),
            ("no UTF-8", text(b"metadata", b'{"a":"\xff"}')), ("overlong UTF-8", text(b"metadata", b'{"a":"\xc0\xaf"}')),
            ("half a character", text(b"metadata", b'{"a":"\xe2\x82"}')),
            ("a line break in a string", text(b"metadata", b'{"a":"b\nc"}')),
            ("an unknown escape", text(b"metadata", b'{"a":"\\x41"}'))):
        yield row(f"JSON: {name}", body, 400, "invalid_json")
    for name, body in (
            ("null", b"null"), ("an array", b"[" + SOUND + b"]"), ("a string", b'"' + b"a" * 99 + b'"'), ("nothing in it", b"{}"),
            ("1e400", amount(b"1e400")), ("1e-8", amount(b"1e-8")), ("1e999999999999", amount(b"1e999999999999")),
            ("-0.01", amount(b"-0.01")), ("0.001", amount(b"0.001")), ("149.990001", amount(b"149.990001")),
            ("2^53 cents", amount(b"90071992547409.92")), ("an amount with a comma", amount(b'"1,5"')),
            ("three decimals of dollars", amount(b"1.505")), ("yen with decimals", text(b"currency", b'"JPY"')),
            ("no currency", text(b"currency", b'"XXQ"')), ("currency of four letters", text(b"currency", b'"usdt"')),
            ("a status of its own", text(b"status", b'"COMPLETED"')), ("an id of its own", text(b"id", b"7")),
            ("a version of its own", text(b"version", b"7")), ("__proto__", text(b"__proto__", b'{"admin":true}')),
            ("metadata as array", text(b"metadata", b"[1]")), ("metadata: 1e400", text(b"metadata", b'{"a":1e400}')),
            ("metadata: 15,000 digits", text(b"metadata", b'{"a":' + b"1" * 15_000 + b"}")),
            ("metadata: 1e999999999", text(b"metadata", b'{"a":[1e999999999]}')),
            ("metadata: U+0000", text(b"metadata", b'{"a":"\\u0000"}'))):
        yield row(f"order: {name}", body)
    for name, value in (("0", 0), ("-1", -1), ("2^63", 2**63), ("text", "1"), ("true", True), ("1.5", 1.5), ("null", None)):
        yield row(f"user_id: {name}", order(user_id=value))
    for name, value in (("none", []), ("1,001", [1] * 1001), ("2^63", [2**63]), ("nested", [[1]]), ("an object", {"0": 1})):
        yield row(f"item_ids: {name}", order(item_ids=value))
    for value in ("", "../etc", "a/b", "a b", "batch", "status", "-a", ".a", "a" * 65, "a\r\nSet-Cookie: a=b", "a\0b",
                  "\u202eORD", "ORD-1'--", "<script>"):
        yield row(f"order_id: {value!r:.20}", order(order_id=value))
    yield row("no media type", SOUND, 415, "unsupported_media_type", b"X: a\r\n")
    yield row("a form", SOUND, 415, "unsupported_media_type", b"Content-Type: text/plain\r\n")
    yield row("nearly JSON", SOUND, 415, "unsupported_media_type", b"Content-Type: application/jsonx\r\n")
    yield row("gzip", SOUND, 415, "unsupported_media_type", JSON, b"Content-Encoding: gzip\r\n")
    for name, field in (("empty", b""), ("too long", b"k" * 256), ("no ASCII", b"\xff"), ("a tab", b"a\tb")):
        yield row(f"idempotency key: {name}", SOUND, 400, "invalid_idempotency_key", JSON,
                  b"Idempotency-Key: " + field + b"\r\n")
    yield row("two idempotency keys", SOUND, 400, "invalid_idempotency_key", JSON, b"Idempotency-Key: a\r\n" * 2)


def changes():
    """Changes of an order that must not be made."""
    at = b"/orders/" + HELD.encode()

    def row(name, method, target, body, status, code, *fields):
        return Row(name, request(method, target, HOST, JSON, *fields, body=body), status, code, False)

    for name, tag in (("stale", b'"2"'), ("weak", b'W/"1"'), ("without quotes", b"1"), ("nonsense", b'"x"'),
                      ("2^64 + 1", b'"18446744073709551617"'), ("with a zero", b'"01"')):
        match = b"If-Match: " + tag + b"\r\n"
        yield row(f"PUT, {name} version", b"PUT", at, SOUND, 412, "precondition_failed", match)
        yield row(f"DELETE, {name} version", b"DELETE", at, b"", 412, "precondition_failed", match)
        yield row(f"cancel, {name} version", b"POST", at + b"/cancel", b"", 412, "precondition_failed", match)
    yield row("an event that is the worker's", b"POST", at + b"/transitions", b'{"event":"complete"}', 422, "validation")
    yield row("an event that there is not", b"POST", at + b"/transitions", b'{"event":"pay"}', 422, "validation")
    yield row("an event with more", b"POST", at + b"/transitions", b'{"event":"cancel","to":"COMPLETED"}', 422, "validation")
    yield row("an event that is no text", b"POST", at + b"/transitions", b'{"event":{"$ne":""}}', 422, "validation")
    yield row("an event in the path", b"POST", at + b"/complete", b"", 404, "not_found")
    yield row("PUT that makes an order", b"PUT", b"/orders/ORD-NONE", SOUND, 404, "not_found")
    yield row("PATCH that makes an order", b"PATCH", b"/orders/ORD-NONE", b'{"user_id":2}', 404, "not_found")
    yield row("DELETE of none", b"DELETE", b"/orders/ORD-NONE", b"", 404, "not_found")
    yield row("PUT of the status", b"PUT", at, order(status="COMPLETED"), 422, "validation")
    yield row("PATCH of the status", b"PATCH", at, b'{"status":"COMPLETED"}', 422, "validation")
    yield row("a reason with U+0000", b"POST", at + b"/transitions", b'{"event":"cancel","reason":"\\u0000"}', 422, "validation")
    yield row("PATCH of metadata that others cannot read", b"PATCH", at, b'{"metadata":{"a":-1e999}}', 422, "validation")
    yield row("PATCH of the version", b"PATCH", at, b'{"version":9}', 422, "validation")
    yield row("PATCH of the id", b"PATCH", at, b'{"order_id":"a/b"}', 422, "validation")
    yield row("PATCH with null", b"PATCH", at, b'{"user_id":null}', 422, "validation")
    yield row("PATCH of the currency alone", b"PATCH", at, b'{"currency":"JPY"}', 422, "validation")
    yield row("PATCH as JSON patch", b"PATCH", at, b'[{"op":"remove","path":"/user_id"}]', 422, "validation")
    yield row("an id that is taken", b"POST", b"/orders", order(order_id=HELD), 409, "order_exists")
    yield row("a batch that is no list", b"POST", b"/orders/batch", b'{"items":[]}', 422, "validation")
    yield row("a history from nowhere", b"GET", at + b"/history?after=-1", b"", 400, "invalid_parameter")
    yield row("a time without a zone", b"GET", at + b"?at=2026-01-01T00:00:00", b"", 400, "invalid_parameter")


def sound():
    """What looks like an attack and is none: it is answered, and the connection goes on."""
    body = order(order_id=HELD)  # refused for its id alone
    yield Row("pipelined in one packet", get(b"/orders/none") * 3, [404, 404, 404], "not_found", False)
    yield Row("an error between two requests", get(b"/orders") + HIDDEN[:1] * 0 + get(b"/none") + get(b"/orders"),
              [200, 404, 200], None, False)
    yield Row("chunked, with an extension and a trailer that must not count",
              START + CHUNKED + b"\r\n%x;a=b\r\n%s\r\n0\r\nContent-Type: text/plain\r\nX-Request-Id: evil\r\n\r\n"
              % (len(body), body), 409, "order_exists", False)
    yield Row("an empty line before", b"\r\n" + get(b"/orders"), 200, None, False)
    yield Row("a body on GET", request(b"GET", b"/orders", HOST, body=HIDDEN), 200, None, False)
    yield Row("X-Request-Id that would break out", get(b"/orders", b"X-Request-Id: a\x80\xff;b\r\n"), 200, None, False)
    yield Row("X-Forwarded-For of anybody", get(b"/orders", b"X-Forwarded-For: 127.0.0.1, ::1\r\n"), 401,
              "unauthenticated", False)
    yield Row("X-HTTP-Method-Override", get(b"/orders/" + HELD.encode(), b"X-HTTP-Method-Override: DELETE\r\n"), 200, None,
              False)
    yield Row("an upgrade to HTTP/2", get(b"/orders", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), 200, None, False)
    yield Row("a range", get(b"/orders", b"Range: bytes=0-0,0-0,0-0\r\n"), 200, None, False)


ALL = (framing, lines, pages, sizes, targets, bodies, changes, sound)
