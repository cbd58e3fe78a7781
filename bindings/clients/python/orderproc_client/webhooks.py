"""Verifies webhooks as Standard Webhooks 1.0 specifies them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ._core import read_json
from ._models import Event
from .errors import WebhookError

__all__ = ["Webhook", "WebhookMessage"]


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A message that is genuine.

    id: the same at each attempt to deliver the event. Answer an id that you have seen with 2xx, and
    do nothing else.
    sent_at: when this attempt was signed.
    body: the JSON of the body. Numbers with a fraction are Decimal.
    event: the change of an order; None of a test message, and of an endpoint whose `content` is
    `reference`, because their bodies have no order.
    """

    id: str
    sent_at: datetime
    body: Any
    event: Event | None


class Webhook:
    """Verifies what is sent to one endpoint. It may be used by several threads at once.

    secrets: `whsec_…`, as create_webhook() and rotate_webhook() answered it. While you replace a
    secret on your side, give the old one and the new one.
    tolerance: how many seconds the time of a message may be off.

    Raises ValueError if a secret is none. The message of the exception does not have the secret.
    """

    def __init__(self, *secrets: str, tolerance: float = 300.0) -> None:
        if not secrets:
            raise ValueError("there is no secret")
        self._keys = [read_secret(it) for it in secrets]
        self._tolerance = tolerance

    def verify(self, headers: Mapping[str, str], body: bytes, *,
               now: float | None = None) -> WebhookMessage:
        """The message, if it is genuine and recent. Raises WebhookError if not.

        headers: of the request, in any case. body: the bytes as they came, before anything has
        parsed them. now: seconds since 1970, for tests; the system's clock by default.
        """
        fields = {str(name).lower(): value for name, value in headers.items()}
        name = fields.get("webhook-id", "")
        sent = fields.get("webhook-timestamp", "")
        signatures = fields.get("webhook-signature", "")
        if not name or not signatures or not re.fullmatch(r"[0-9]{1,12}", sent):
            raise WebhookError("missing", "webhook-id, webhook-timestamp or webhook-signature is "
                                          "missing or malformed")
        # The signature first: who cannot sign learns nothing about our clock.
        signed = b"%s.%s.%s" % (name.encode(), sent.encode(), body)
        wanted = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in self._keys]
        given = [it[3:].encode() for it in signatures.split(" ") if it.startswith("v1,")]
        genuine = False
        for one in given:
            for other in wanted:
                genuine |= hmac.compare_digest(one, other)
        if not genuine:
            raise WebhookError("signature", "no signature is by a secret of this endpoint")
        if abs((time.time() if now is None else now) - int(sent)) > self._tolerance:
            raise WebhookError("timestamp", f"it was signed at {sent}, too far from now")
        try:
            it = read_json(body)
            has_order = isinstance(it, dict) and "order" in it["data"]
            event = Event.from_json(it) if has_order else None
        except (KeyError, TypeError, ValueError) as error:
            raise WebhookError("missing", f"the body has another form: {error!r}") from error
        return WebhookMessage(name, datetime.fromtimestamp(int(sent), timezone.utc), it, event)


def read_secret(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or len(key) < 24:
        raise ValueError("a secret is `whsec_` and at least 24 bytes in base64") from None
    return key
