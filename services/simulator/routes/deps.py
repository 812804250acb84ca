"""What routes ask for: the world, the faults of this request, and a brokerage session."""

from typing import Annotated, Any

from fastapi import Depends, Request

from services.simulator.errors import bad_request
from services.simulator.faults import Competing, Fault, LoggedOut, NoBridge
from services.simulator.instruments import Contract
from services.simulator.session import ACCOUNT
from services.simulator.world import World

Json = Any


def the_world(request: Request) -> World:
    """Return the state of this simulator."""
    world: World = request.app.state.world
    return world


def the_faults(request: Request) -> list[Fault]:
    """Return the faults that strike this request."""
    faults: list[Fault] = getattr(request.state, "faults", [])
    return faults


WorldDep = Annotated[World, Depends(the_world)]
FaultsDep = Annotated[list[Fault], Depends(the_faults)]


def needs_brokerage(world: WorldDep, faults: FaultsDep) -> None:
    """Raise the refusal of a request without a brokerage session."""
    if not is_authenticated(world, faults) or any(isinstance(f, NoBridge) for f in faults):
        raise bad_request("no bridge")


def needs_accounts(world: WorldDep) -> None:
    """Raise the refusal of a request that comes before /iserver/accounts."""
    if not world.session.accounts_asked:
        status = world.settings.switches.accounts_first_status
        raise bad_request("Please query /accounts first", status)


def is_authenticated(world: World, faults: list[Fault]) -> bool:
    """Whether there is a brokerage session, as far as this request can tell."""
    return is_logged_in(world, faults) and world.session.authenticated


def is_logged_in(world: World, faults: list[Fault]) -> bool:
    """Whether there is a login at all, as far as this request can tell."""
    return world.session.logged_in and not any(isinstance(f, LoggedOut) for f in faults)


def is_competing(world: World, faults: list[Fault]) -> bool:
    """Whether another program uses the username, as far as this request can tell."""
    return world.session.competing or any(isinstance(f, Competing) for f in faults)


def check_account(account: str) -> None:
    """Raise the refusal of an account that is not this login's."""
    if account != ACCOUNT:
        raise bad_request(f"accountId is not valid: {account}")


def traded_contract(world: World, conid: int) -> Contract | None:
    """Return a contract that has data."""
    contract = world.instruments.of_conid(conid)
    return contract if contract is not None and contract.is_us else None


BROKERAGE = [Depends(needs_brokerage)]
ACCOUNTS_FIRST = [Depends(needs_accounts)]
