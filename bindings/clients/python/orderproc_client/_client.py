"""The clients: what sends requests, sends them again, and turns refusals into exceptions."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TypeVar

import httpx

from ._core import Answer, Model, Plan, RETRIED, Request, Retry, read_json, wait_asked
from ._models import Problem
from ._operations import AsyncOperations, Operations
from ._problems import BY_CODE
from ._stream import BROKEN, SILENCE_MAX, AsyncEventStream, EventStream, StreamState
from .errors import ApiError, ConnectionFailedError, RequestError, UnexpectedAnswerError

T = TypeVar("T")


def refusal(response: httpx.Response, request: Request[T], attempts: int) -> RequestError:
    """The exception for an answer that is none of the request's results."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind != "application/problem+json":
            raise TypeError(kind)
        problem = Problem.from_json(read_json(response.content))
    except (KeyError, TypeError, ValueError):
        return UnexpectedAnswerError(
            f"{request.method} {request.template}: status {response.status_code} with "
            f"{kind or 'no content'}, which is no answer of this API",
            status=response.status_code, idempotency_key=request.idempotency_key,
            attempts=attempts)
    return BY_CODE.get(problem.code, ApiError)(
        problem, retry_after=wait_asked(response.headers),
        idempotency_key=request.idempotency_key, attempts=attempts)


def read_result(response: httpx.Response, request: Request[T], attempts: int) -> T:
    read = request.results.get(response.status_code)
    if read is None:
        raise refusal(response, request, attempts)
    try:
        made = read(read_json(response.content) if response.content else None)
    except (KeyError, TypeError, ValueError) as error:
        raise UnexpectedAnswerError(
            f"{request.method} {request.template}: the answer has another form: {error!r}",
            status=response.status_code, idempotency_key=request.idempotency_key,
            attempts=attempts) from error
    if isinstance(made, Model):
        object.__setattr__(made, "http", Answer(response.status_code, dict(response.headers)))
    return made


def lost(error: Exception, request: Request[T], attempts: int) -> ConnectionFailedError:
    return ConnectionFailedError(f"{request.method} {request.template}: {error!r}",
                                 idempotency_key=request.idempotency_key, attempts=attempts)


def may_be_sent_again(response: httpx.Response, request: Request[T]) -> bool:
    return response.status_code in RETRIED and response.status_code not in request.results


class Settings:
    """What both clients are made with."""

    def __init__(self, url: str, key: str | None, timeout: float, retry: Retry,
                 reconnect_wait: float | None, headers: Mapping[str, str] | None) -> None:
        self.url = url.rstrip("/")
        self.retry = retry
        self.reconnect_wait = reconnect_wait
        self.timeout = httpx.Timeout(timeout)
        self.stream_timeout = httpx.Timeout(timeout, read=SILENCE_MAX)
        self.fields = {"user-agent": "orderproc-client-python", **(headers or {})}
        if key is not None:
            self.fields["authorization"] = f"Bearer {key}"

    def _refuse_stream(self, response: httpx.Response, state: StreamState) -> None:
        """Raises what a stream does not outlive."""
        if response.status_code not in RETRIED and response.status_code < 500:
            raise refusal(response, state.request, state.plan.made + 1)
        if not state.connected and state.plan.made + 1 >= state.plan.left:
            raise refusal(response, state.request, state.plan.made + 1)


class Client(Settings, Operations):
    """A client of one server. It may be used by several threads at once. Close it, or use it in a
    `with` block, to close its connections.

    url: where the server is, with the prefix of a proxy if there is one: `https://shop.example/api`.
    key: an API key (`op_…`) or a token, sent as `Authorization: Bearer`.
    timeout: seconds for each step of an attempt: to connect, to send, and to wait for bytes.
    retry: when requests are sent again. reconnect_wait: seconds that a stream waits before it
    connects again; None: as long as the server says, which is 3 s by default.
    headers: sent with each request.
    verify: the certificates that are trusted, if they are not the usual ones: an ssl.SSLContext.
    transport: how requests are sent, for tests and unusual networks; see httpx.
    """

    def __init__(self, url: str, *, key: str | None = None, timeout: float = 30.0,
                 retry: Retry = Retry(), reconnect_wait: float | None = None,
                 headers: Mapping[str, str] | None = None, verify: ssl.SSLContext | bool = True,
                 transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(url, key, timeout, retry, reconnect_wait, headers)
        self._http = httpx.Client(headers=self.fields, timeout=self.timeout, verify=verify,
                                  transport=transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _call(self, request: Request[T]) -> T:
        plan = Plan(self.retry, request.repeatable())
        url, fields, content = self.url + request.target(), request.all_headers(), request.content()
        while True:
            try:
                response = self._http.request(request.method, url, headers=fields, content=content)
            except BROKEN as error:
                wait = plan.next_wait(None)
                if wait is None:
                    raise lost(error, request, plan.made) from error
            else:
                if not may_be_sent_again(response, request):
                    return read_result(response, request, plan.made + 1)
                wait = plan.next_wait(wait_asked(response.headers))
                if wait is None:
                    raise refusal(response, request, plan.made)
            time.sleep(wait)

    def _stream(self, request: Request[None]) -> EventStream:
        return EventStream(self, request)

    @contextlib.contextmanager
    def _open(self, state: StreamState) -> Iterator[httpx.Response]:
        """A connection of a stream, for EventStream."""
        with self._http.stream("GET", self.url + state.request.target(), headers=state.headers(),
                               timeout=self.stream_timeout) as response:
            yield response


class AsyncClient(Settings, AsyncOperations):
    """Client for asyncio: the same methods, awaited."""

    def __init__(self, url: str, *, key: str | None = None, timeout: float = 30.0,
                 retry: Retry = Retry(), reconnect_wait: float | None = None,
                 headers: Mapping[str, str] | None = None, verify: ssl.SSLContext | bool = True,
                 transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__(url, key, timeout, retry, reconnect_wait, headers)
        self._http = httpx.AsyncClient(headers=self.fields, timeout=self.timeout, verify=verify,
                                       transport=transport)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _call(self, request: Request[T]) -> T:
        plan = Plan(self.retry, request.repeatable())
        url, fields, content = self.url + request.target(), request.all_headers(), request.content()
        while True:
            try:
                response = await self._http.request(request.method, url, headers=fields,
                                                    content=content)
            except BROKEN as error:
                wait = plan.next_wait(None)
                if wait is None:
                    raise lost(error, request, plan.made) from error
            else:
                if not may_be_sent_again(response, request):
                    return read_result(response, request, plan.made + 1)
                wait = plan.next_wait(wait_asked(response.headers))
                if wait is None:
                    raise refusal(response, request, plan.made)
            await asyncio.sleep(wait)

    def _stream(self, request: Request[None]) -> AsyncEventStream:
        return AsyncEventStream(self, request)

    @contextlib.asynccontextmanager
    async def _open(self, state: StreamState) -> AsyncIterator[httpx.Response]:
        """A connection of a stream, for AsyncEventStream."""
        async with self._http.stream("GET", self.url + state.request.target(),
                                     headers=state.headers(),
                                     timeout=self.stream_timeout) as response:
            yield response
