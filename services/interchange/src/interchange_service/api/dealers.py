"""Dealer accounts API, for operators: which dealers' systems may send."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from interchange_service.actions.dealers import (
    DealerAlreadyAdded,
    DealerUnknown,
    add_dealer,
    enable_dealer,
)
from interchange_service.api.dependencies import Operator, TheClock, Tx
from interchange_service.queries import dealer_accounts
from shared.refusals import refuses

router = APIRouter(prefix="/dealers")
Code = Annotated[str, Path(max_length=32)]


class Dealer(BaseModel):
    """A dealer that may send while it is `active`; `amqp` where it has a password for AMQP."""

    dealer_id: str
    name: str
    active: bool
    amqp: bool
    added_at: datetime


class Dealers(BaseModel):
    """All of them, by their codes."""

    dealers: list[Dealer]


class NewDealer(BaseModel):
    """A dealer to be let in."""

    dealer_id: str = Field(pattern=r"^[A-Za-z0-9_]{1,32}$")
    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")


@router.get("")
async def list_dealers(_who: Operator, tx: Tx) -> Dealers:
    """Every dealer with an account, also those that are shut out."""
    return Dealers(
        dealers=[
            Dealer(
                dealer_id=account.dealer_id,
                name=account.name,
                active=account.active,
                amqp=account.amqp_password_hash is not None,
                added_at=account.added_at,
            )
            for account in await dealer_accounts(tx)
        ]
    )


@router.post("", status_code=204, operation_id="add_dealer")
@refuses(DealerAlreadyAdded)
async def let_in(order: NewDealer, _who: Operator, tx: Tx, clock: TheClock) -> None:
    """Let a dealer's systems send. Raises DealerAlreadyAdded."""
    await add_dealer(tx, order.dealer_id, order.name, now=clock.now())


@router.post("/{dealer}/deactivate", status_code=204)
@refuses(DealerUnknown)
async def deactivate_dealer(dealer: Code, _who: Operator, tx: Tx) -> None:
    """Accept nothing more of a dealer. Raises DealerUnknown."""
    await enable_dealer(tx, dealer, active=False)


@router.post("/{dealer}/activate", status_code=204)
@refuses(DealerUnknown)
async def activate_dealer(dealer: Code, _who: Operator, tx: Tx) -> None:
    """Accept its messages again. Raises DealerUnknown."""
    await enable_dealer(tx, dealer, active=True)
