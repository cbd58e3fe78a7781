"""A client of the HTTP API of orderproc."""

from . import models, problems
from ._client import AsyncClient, Client
from ._core import Answer, Retry
from ._models import Event, NewOrder, Order
from ._stream import AsyncEventStream, EventStream, Reset
from .errors import (
    ApiError,
    ConnectionFailedError,
    OrderprocError,
    RequestError,
    UnexpectedAnswerError,
    WebhookError,
)
from .webhooks import Webhook, WebhookMessage

__all__ = [
    "Answer",
    "ApiError",
    "AsyncClient",
    "AsyncEventStream",
    "Client",
    "ConnectionFailedError",
    "Event",
    "EventStream",
    "NewOrder",
    "Order",
    "OrderprocError",
    "RequestError",
    "Reset",
    "Retry",
    "UnexpectedAnswerError",
    "Webhook",
    "WebhookError",
    "WebhookMessage",
    "models",
    "problems",
]
