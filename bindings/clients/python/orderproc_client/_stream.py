"""Streams of events (server-sent events) that go on where they broke off."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from ._core import Plan, Request, Retry, read_json, wait_asked
from ._models import Event
from .errors import ConnectionFailedError, UnexpectedAnswerError

if TYPE_CHECKING:
    from ._client import AsyncClient, Client

LOG = logging.getLogger("orderproc_client")

# The server sends a comment every 15 s. A connection on which three of them are missing is dead.
SILENCE_MAX = 45.0
RECONNECT_WAIT = 3.0  # until the server says how long
BROKEN = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Reset:
    """The position from which the stream was asked for is not in the journal of the server: a
    backup was restored that ends before it, or the journal no longer goes back so far. Forget what
    you have derived from the events so far, and read it again. The stream goes on from
    `position`."""

    position: str


@dataclass(slots=True)
class Block:
    id: str | None = None
    event: str = ""
    data: str | None = None
    retry: int | None = None


class Blocks:
    """Takes a stream apart, as https://html.spec.whatwg.org/#event-stream-interpretation says. A
    block that is not whole when the stream ends is dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._block = Block()

    def feed(self, some: bytes) -> Iterator[Block]:
        # A CR at the end may be the first half of a CRLF: it waits for what follows.
        text = (self._rest + some).replace(b"\r\n", b"\n")
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, self._rest = text[:len(text) - len(held)].replace(b"\r", b"\n").split(b"\n")
        self._rest += held
        for line in lines:
            if line:
                self._take(line.decode("utf-8", "replace"))
                continue
            whole, self._block = self._block, Block()
            yield whole

    def _take(self, line: str) -> None:
        name, _, value = line.removeprefix("\ufeff").partition(":")
        value = value.removeprefix(" ")
        block = self._block
        if name == "data":
            block.data = value if block.data is None else f"{block.data}\n{value}"
        elif name == "id" and "\0" not in value:
            block.id = value
        elif name == "event":
            block.event = value
        elif name == "retry" and value.isascii() and value.isdecimal():
            block.retry = int(value)


class StreamState:
    """What a stream is at, and what becomes of an answer: the same for threads and asyncio."""

    def __init__(self, request: Request[None], retry: Retry, reconnect_wait: float | None) -> None:
        self.request = request
        self.retry = retry
        self.reconnect_wait = reconnect_wait
        self.position: str | None = None
        self.server_wait = RECONNECT_WAIT
        self.connected = False  # ever
        self.advanced = False  # on this connection
        self.plan = Plan(retry, True)
        self.closed = False

    def headers(self) -> dict[str, str]:
        made = self.request.all_headers()
        made["accept"] = "text/event-stream"
        made["cache-control"] = "no-store"
        if self.position is not None:
            made["last-event-id"] = self.position
        return made

    def opened(self) -> None:
        self.connected = True
        self.advanced = False

    def take(self, block: Block) -> Event | Reset | None:
        """What a block says, if it is for the caller."""
        if block.retry is not None:
            self.server_wait = block.retry / 1000
        if block.id:
            self.position = block.id
            self.advanced = True
        if block.data is None:
            return None
        try:
            if block.event == "reset":
                position: str = json.loads(block.data)["position"]
                self.position = position
                return Reset(position)
            # Kinds of events that are newer than this client are for others.
            return Event.from_json(read_json(block.data)) if block.event == "" else None
        except (KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswerError(f"the stream has an event of another form: {error!r}",
                                        status=200, idempotency_key=None, attempts=1) from error

    def wait_after(self, asked: float | None, broken: Exception | None) -> float:
        """Seconds to wait for the next connection, or an exception if none was ever made."""
        if not self.connected:
            wait = self.plan.next_wait(asked)
            if wait is None:
                raise ConnectionFailedError(f"no stream from the server: {broken!r}",
                                            idempotency_key=None,
                                            attempts=self.plan.made) from broken
            return wait
        wait = self.server_wait if self.reconnect_wait is None else self.reconnect_wait
        LOG.info("stream broke off at %s (%r); connecting again", self.position, broken)
        return max(wait, asked or 0.0)

    def wait_after_end(self) -> float:
        """A stream of one order ends when the order is settled. Asking once more shows whether it
        is: the answer is 204 then. Proxies may also end a stream that is not."""
        if self.advanced:
            return 0.0
        return self.server_wait if self.reconnect_wait is None else self.reconnect_wait


class EventStream:
    """Events as they happen: iterate over it. It yields an Event for each change, in order, nothing
    twice and nothing missing, also when connections break or the server starts again; and a Reset
    where that cannot be kept. The stream of one order ends when nothing more happens to the order;
    other streams go on until close().

    Raises ApiError if the server refuses the stream, and ConnectionFailedError if it cannot be
    reached when the stream begins. Once it has begun, the stream connects again for as long as it
    takes. Not for several threads at once, except close().
    """

    def __init__(self, client: Client, request: Request[None]) -> None:
        self._client = client
        self._state = StreamState(request, client.retry, client.reconnect_wait)
        self._response: httpx.Response | None = None
        self._items = self._run()

    @property
    def position(self) -> str | None:
        """The position of what was yielded last: give it to `after` to go on later."""
        return self._state.position

    def __iter__(self) -> Iterator[Event | Reset]:
        return self._items

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it. An iteration in another thread ends at the latest with the next bytes from the
        server, which come every 15 seconds."""
        self._state.closed = True
        if self._response is not None:
            self._response.close()

    def _run(self) -> Iterator[Event | Reset]:
        state = self._state
        while not state.closed:
            try:
                with self._client._open(state) as response:
                    if response.status_code == 204:
                        return
                    asked = wait_asked(response.headers)
                    if response.status_code != 200:
                        response.read()
                        self._client._refuse_stream(response, state)
                        wait = state.wait_after(asked, httpx.HTTPStatusError(
                            str(response.status_code), request=response.request,
                            response=response))
                    else:
                        self._response = response
                        state.opened()
                        yield from self._read(response)
                        wait = state.wait_after_end()
            except (httpx.HTTPError, httpx.StreamError) as error:
                if state.closed:
                    return  # close() took the connection away
                if not isinstance(error, (*BROKEN, httpx.StreamError)):
                    raise
                wait = state.wait_after(None, error)
            finally:
                self._response = None
            if not state.closed:
                time.sleep(wait)

    def _read(self, response: httpx.Response) -> Iterator[Event | Reset]:
        blocks = Blocks()
        for some in response.iter_bytes():
            for block in blocks.feed(some):
                if self._state.closed:
                    return
                it = self._state.take(block)
                if it is not None:
                    yield it


class AsyncEventStream:
    """EventStream for asyncio: iterate with `async for`."""

    def __init__(self, client: AsyncClient, request: Request[None]) -> None:
        self._client = client
        self._state = StreamState(request, client.retry, client.reconnect_wait)
        self._items = self._run()

    @property
    def position(self) -> str | None:
        """The position of what was yielded last: give it to `after` to go on later."""
        return self._state.position

    def __aiter__(self) -> AsyncIterator[Event | Reset]:
        return self._items

    async def __aenter__(self) -> AsyncEventStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends it. Call it from the task that iterates, or cancel that task."""
        self._state.closed = True
        items: Any = self._items
        await items.aclose()

    async def _run(self) -> AsyncIterator[Event | Reset]:
        state = self._state
        while not state.closed:
            try:
                async with self._client._open(state) as response:
                    if response.status_code == 204:
                        return
                    asked = wait_asked(response.headers)
                    if response.status_code != 200:
                        await response.aread()
                        self._client._refuse_stream(response, state)
                        wait = state.wait_after(asked, httpx.HTTPStatusError(
                            str(response.status_code), request=response.request,
                            response=response))
                    else:
                        state.opened()
                        blocks = Blocks()
                        async for some in response.aiter_bytes():
                            for block in blocks.feed(some):
                                it = state.take(block)
                                if it is not None:
                                    yield it
                        wait = state.wait_after_end()
            except (*BROKEN, httpx.StreamError) as error:
                wait = state.wait_after(None, error)
            await asyncio.sleep(wait)
