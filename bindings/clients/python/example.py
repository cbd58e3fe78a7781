"""Creates an order and follows it until nothing more happens to it. Run: URL [KEY]"""

import sys
from decimal import Decimal

from orderproc_client import Client, Reset, problems

with Client(sys.argv[1], key=sys.argv[2] if len(sys.argv) > 2 else None) as client:
    order = client.create_order(
        {"user_id": 123, "item_ids": [1001, 1002], "total_amount": Decimal("149.90")})
    print(f"created, {order.total_amount} {order.currency}")
    for it in client.stream_order_events(order.order_id):
        if isinstance(it, Reset):
            continue  # whoever keeps what events told would forget it here
        print(f"{it.data.event}: {it.data.to}")
    try:
        client.cancel_order(order.order_id)
    except problems.TransitionRefusedError as error:
        print(f"refused: {error.code}, it is {error.problem.order_status}")
