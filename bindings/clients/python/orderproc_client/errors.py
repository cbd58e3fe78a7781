"""What can go wrong. The exceptions for the codes of problems are in orderproc_client.problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._models import Problem


class OrderprocError(Exception):
    """All exceptions of this package."""


class RequestError(OrderprocError):
    """A request got no answer that fulfils it.

    idempotency_key: the key that the request carried, or None. The same request may be sent again
    with this key: nothing is done twice.
    attempts: how often the request was sent.
    """

    def __init__(self, message: str, *, idempotency_key: str | None, attempts: int) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key
        self.attempts = attempts


class ConnectionFailedError(RequestError):
    """The server was not reached, or the connection broke before the whole answer came. Whether the
    server carried the request out is not known."""


class UnexpectedAnswerError(RequestError):
    """The answer is not one that this API gives: it may come from a proxy, from another program, or
    from a server whose orders have another model than this client was generated for.

    status: the HTTP status.
    """

    def __init__(self, message: str, *, status: int, idempotency_key: str | None,
                 attempts: int) -> None:
        super().__init__(message, idempotency_key=idempotency_key, attempts=attempts)
        self.status = status


class ApiError(RequestError):
    """The server refused the request with a problem document (RFC 9457). For each code of a problem
    there is a subclass. The class itself stands for codes that are newer than this client.

    problem: the whole document: code, title, status, detail, errors, request_id and others.
    retry_after: seconds that the server asks to wait before the request is sent again, or None.
    """

    def __init__(self, problem: Problem, *, retry_after: float | None,
                 idempotency_key: str | None, attempts: int) -> None:
        text = f"{problem.status} {problem.code}: {problem.detail or problem.title}"
        for it in problem.errors or ():
            text += f"; {it.pointer} {it.detail}"
        super().__init__(f"{text} (request {problem.request_id})",
                         idempotency_key=idempotency_key, attempts=attempts)
        self.problem = problem
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """The code of the problem, such as `not_found`."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status


class WebhookError(OrderprocError):
    """A message that claims to be a webhook and must not be believed.

    reason: `missing` (a header is missing or malformed), `timestamp` (it was signed too long ago,
    or in the future) or `signature` (nobody who has the secret has signed it).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
