"""Event handlers of a service: one event each, or several of one type together."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler may use besides the event; `now` is the instant of processing."""

    event_id: UUID
    sequence: int
    occurred_at: datetime
    now: datetime
    actor: str | None


E = TypeVar("E", bound=Event)
HandlerOf = Callable[[E, Delivery, AsyncSession], Awaitable[None]]
Handler = HandlerOf[Any]
ListHandlerOf = Callable[[Sequence[tuple[E, Delivery]], AsyncSession], Awaitable[None]]


class ListHandler(Generic[E]):
    """A handler of several events in one call; called like any other, it handles one.

    The events of one aggregate are in order, and after all earlier ones of any type. The whole list
    succeeds or fails; if it fails, each of its events is handled alone. The function works for no
    single event, so it must not emit any: they would have no cause.
    """

    def __init__(self, handle: ListHandlerOf[E]) -> None:
        functools.update_wrapper(self, handle)
        self.handle = handle

    async def __call__(self, event: E, delivery: Delivery, tx: AsyncSession) -> None:
        """Handle one event."""
        await self.handle([(event, delivery)], tx)


class Subscribers:
    """Event handlers by type. Events without a handler are acknowledged and ignored."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def on(self, *events: type[E]) -> Callable[[HandlerOf[E]], HandlerOf[E]]:
        """Register `async (event, delivery, tx)` for event types; one function per type."""

        def register(handler: HandlerOf[E]) -> HandlerOf[E]:
            for event in events:
                if event.wire_type in self.handlers:
                    raise ValueError(f"{event.wire_type} has a subscriber already.")
                self.handlers[event.wire_type] = handler
            return handler

        return register

    def on_list(self, *events: type[E]) -> Callable[[ListHandlerOf[E]], ListHandlerOf[E]]:
        """Register `async ([(event, delivery), ...], tx)`, for what one statement does for many."""

        def register(handler: ListHandlerOf[E]) -> ListHandlerOf[E]:
            self.on(*events)(ListHandler(handler))
            return handler

        return register
