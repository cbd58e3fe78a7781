"""What a request and an answer are, without how they are sent."""

from __future__ import annotations

import base64
import json
import random
import re
import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ._stream import AsyncEventStream, EventStream

T = TypeVar("T")

JsonObject = dict[str, Any]
"""A JSON object of which nothing more is known. Its numbers are int, or Decimal if they have a
fraction or an exponent, so that sending it back changes no digit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came with a value: the status, and the fields of the header in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str | None:
        """The id by which the server's log knows the request."""
        return self.headers.get("x-request-id")

    @property
    def feed_position(self) -> str | None:
        """The position in the feed up to which the answer is at least true: stream_events(after=…)
        goes on from it without a gap."""
        return self.headers.get("feed-position")

    @property
    def replayed(self) -> bool:
        """Whether this is the answer to an earlier request with the same Idempotency-Key."""
        return self.headers.get("idempotency-replayed") == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the server sends. A value that a method of a client returns has `http`, which tells of
    the answer that it came with; what is within such a value has None there."""

    http: Answer | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is sent again. Only a request that can be repeated is: one that changes
    nothing, PUT and DELETE, and one that carries an Idempotency-Key. It is sent again after 429,
    502, 503 and 504, and if there was no answer.

    attempts: how often a request is sent at most; 1 turns retries off.
    first_wait: seconds before the second attempt, unless the server says how long (Retry-After).
    The wait doubles from attempt to attempt, up to longest_wait, and is shortened by up to a half,
    at random.
    longest_wait: if Retry-After asks for more seconds than this, the request fails at once.
    """

    attempts: int = 5
    first_wait: float = 0.2
    longest_wait: float = 30.0


RETRIED = (429, 502, 503, 504)
SAFE = ("GET", "HEAD", "PUT", "DELETE")


@dataclass(slots=True)
class Request(Generic[T]):
    """A request. results: how the answer is read, by status; the other statuses are errors."""

    method: str
    template: str
    results: Mapping[int, Callable[[Any], T]]
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: object = None
    content_type: str = ""
    if_version: int | None = None
    keyed: bool = False
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        if self.keyed and self.idempotency_key is None:
            self.idempotency_key = str(uuid.uuid4())

    def repeatable(self) -> bool:
        return self.method in SAFE or self.idempotency_key is not None

    def target(self) -> str:
        made = re.sub(r"\{(\w+)\}", lambda it: segment(it[1], self.path[it[1]]), self.template)
        pairs = [(name, text) for name, value in self.query.items() for text in texts(value)]
        return f"{made}?{urllib.parse.urlencode(pairs)}" if pairs else made

    def all_headers(self) -> dict[str, str]:
        made = {"accept": "application/json, application/problem+json"}
        made.update({name: value for name, value in self.headers.items() if value is not None})
        if self.body is not None:
            made["content-type"] = self.content_type
        if self.if_version is not None:
            made["if-match"] = f'"{self.if_version}"'
        if self.idempotency_key is not None:
            made["idempotency-key"] = self.idempotency_key
        return made

    def content(self) -> bytes | None:
        return None if self.body is None else write_json(self.body).encode()


def segment(name: str, value: str) -> str:
    """A part of a path. Proxies spoil ids with other characters than these, even if they are
    percent-encoded: such an id has a second form in base64url."""
    if name == "order_id" and value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]*", value):
        return "~" + base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
    if value in ("", ".", ".."):
        raise ValueError(f"{name} is {value!r}, which no path can have")
    return urllib.parse.quote(value, safe="")


def texts(value: object) -> list[str]:
    """What a parameter of the query is written as: nothing, once, or several times."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, datetime):
        return [write_time(value)]
    if isinstance(value, Sequence):
        return [text for one in value for text in texts(one)]
    return [str(value)]


def write_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write_json(value: object) -> str:
    """JSON in which a Decimal is a number with exactly its digits, and a time is in UTC."""
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number in JSON")
        return str(value)
    if isinstance(value, float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, datetime):
        return json.dumps(write_time(value))
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"{name!r} is no name of a JSON object")
        return "{" + ",".join(f"{json.dumps(k)}:{write_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(write_json, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def read_json(text: bytes | str) -> Any:
    return json.loads(text, parse_float=Decimal)


def read_object(it: Any) -> JsonObject:
    if not isinstance(it, dict):
        raise TypeError("it is no object")
    return it


def read_nothing(_: Any) -> None:
    return None


def read_one_of(*types: Any) -> Callable[[Any], Any]:
    """Reads the first of the types whose fields are there."""
    def read(it: Any) -> Any:
        missing = KeyError()
        for one in types:
            try:
                return one.from_json(it)
            except KeyError as error:
                missing = error
        raise missing
    return read


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, which may also be a date."""
    text = headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())


class Plan:
    """Counts the attempts of one request, and says how long to wait for the next one."""

    def __init__(self, retry: Retry, repeatable: bool) -> None:
        self.retry = retry
        self.left = retry.attempts if repeatable else 1
        self.made = 0

    def next_wait(self, asked: float | None) -> float | None:
        """After an attempt that may be repeated: the seconds to wait; None: it was the last one."""
        self.made += 1
        if self.made >= self.left:
            return None
        if asked is not None:
            return asked if asked <= self.retry.longest_wait else None
        most = min(self.retry.first_wait * 2.0 ** (self.made - 1), self.retry.longest_wait)
        return most * random.uniform(0.5, 1)


class Caller:
    """What the generated operations need."""

    def _call(self, request: Request[T]) -> T:
        raise NotImplementedError

    def _stream(self, request: Request[None]) -> EventStream:
        raise NotImplementedError


class AsyncCaller:
    """The same for asyncio."""

    async def _call(self, request: Request[T]) -> T:
        raise NotImplementedError

    def _stream(self, request: Request[None]) -> AsyncEventStream:
        raise NotImplementedError
