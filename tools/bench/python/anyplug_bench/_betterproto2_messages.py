"""The benchmark's message as betterproto2's own compiler writes it, with its own codec."""

from __future__ import annotations

from dataclasses import dataclass

import betterproto2

__all__ = ("Line", "Order")

default_message_pool = betterproto2.MessagePool()  # type: ignore[no-untyped-call]  # betterproto2's is not annotated


@dataclass(eq=False, repr=False)
class Order(betterproto2.Message):
    """The message of 1.2 kB."""

    id: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    customer: str = betterproto2.field(2, betterproto2.TYPE_STRING)
    created_ms: int = betterproto2.field(3, betterproto2.TYPE_INT64)
    lines: list[Line] = betterproto2.field(4, betterproto2.TYPE_MESSAGE, repeated=True)
    attributes: dict[str, str] = betterproto2.field(
        5,
        betterproto2.TYPE_MAP,
        map_meta=betterproto2.map_meta(betterproto2.TYPE_STRING, betterproto2.TYPE_STRING),
    )
    notes: list[str] = betterproto2.field(6, betterproto2.TYPE_STRING, repeated=True)
    quantities: list[int] = betterproto2.field(7, betterproto2.TYPE_INT32, repeated=True)
    status: int = betterproto2.field(8, betterproto2.TYPE_INT32)
    reference: str | None = betterproto2.field(9, betterproto2.TYPE_STRING, optional=True)


default_message_pool.register_message("anyplug.bench.v1", "Order", Order)


@dataclass(eq=False, repr=False)
class Line(betterproto2.Message):
    """A line of the order."""

    sku: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    name: str = betterproto2.field(2, betterproto2.TYPE_STRING)
    quantity: int = betterproto2.field(3, betterproto2.TYPE_UINT32)
    price_cents: int = betterproto2.field(4, betterproto2.TYPE_INT64)
    taxed: bool = betterproto2.field(5, betterproto2.TYPE_BOOL)
    weight: float = betterproto2.field(6, betterproto2.TYPE_DOUBLE)


default_message_pool.register_message("anyplug.bench.v1", "Line", Line)
