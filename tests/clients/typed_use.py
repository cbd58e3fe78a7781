"""What the types of the Python client take and what they refuse: mypy and pyright read this file,
and nobody runs it. An ignored error that is none is an error."""

from datetime import datetime
from decimal import Decimal

from orderproc_client import AsyncClient, Client, Event, NewOrder, Order, Reset, Webhook, problems
from orderproc_client.models import Status


def use(client: Client, webhook: Webhook) -> None:
    made: NewOrder = {"user_id": 1, "item_ids": [1, 2], "total_amount": Decimal("149.90")}
    order: Order = client.create_order(made, idempotency_key="a")
    amount: Decimal = order.total_amount
    at: datetime | None = order.next_attempt_at
    status: Status = order.status
    position: str | None = order.http.feed_position if order.http else None
    client.patch_order(order.order_id, {"metadata": {"a": 1}}, if_version=order.version)
    for one in client.iterate_orders(status=["pending"], created_from=order.created_at):
        one.version + 1
    for it in client.stream_events(after="0"):
        if isinstance(it, Reset):
            it.position.upper()
        else:
            it.data.order.total_amount.is_zero()
        it.data  # type: ignore[union-attr]  # a reset has no data, and has to be told apart
    event: Event | None = webhook.verify({}, b"").event
    try:
        client.get_order("a")
    except problems.NotFoundError as error:
        error.problem.request_id.upper()
    client.create_order({"item_ids": [1], "total_amount": "1"})  # type: ignore[typeddict-item]
    client.create_order({"user_id": 1, "item_ids": [1],
                         "total_amount": 1.5})  # type: ignore[typeddict-item]
    client.pause_work({}, idempotency_key="a")  # type: ignore[call-arg]
    wrong: float = order.total_amount  # type: ignore[assignment]
    print(amount, at, status, position, event, wrong)


async def use_async(client: AsyncClient) -> None:
    order: Order = await client.create_order({"user_id": 1, "item_ids": [1], "total_amount": "1"})
    async for one in client.iterate_history(order.order_id):
        one.at.timestamp()
    async with client.stream_order_events(order.order_id) as stream:
        async for it in stream:
            print(it)
