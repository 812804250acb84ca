"""A run past its end is closed as expired, once, wherever it was; time stands still here."""

import asyncio
import json
from typing import Any

import pytest

from tests.running import Running, fresh_strategy, new_run_id, of_run

pytestmark = pytest.mark.timeout(90)
PAST, FUTURE = "2020-01-02T15:00:00Z", "2023-06-05T15:00:00Z"


def outcomes(run: dict[str, Any]) -> set[tuple[str, str]]:
    return {(symbol["outcome"], symbol["code"]) for symbol in run["symbols"]}


async def test_a_run_whose_deadline_is_over_ends_as_expired_and_nothing_goes_on(
    running: Running,
) -> None:
    run_id = new_run_id()
    await asyncio.to_thread(
        running.trigger, strategy_id=fresh_strategy(), run_id=run_id, deadline=PAST
    )

    run = await asyncio.to_thread(running.finished, run_id)

    assert (run["status"], outcomes(run)) == ("expired", {("expired", "expired")})
    assert len(of_run(await running.records("run.finished"), run_id)) == 1
    # Nothing that was said of the end leads to more.
    await asyncio.sleep(1)
    assert len(of_run(await running.records("step.failed"), run_id)) == 1


async def test_what_comes_to_the_end_after_the_expiry_still_closes_the_run(
    running: Running,
) -> None:
    run_id, strategy = new_run_id(), fresh_strategy()
    await asyncio.to_thread(
        running.trigger, strategy_id=strategy, run_id=run_id, symbols=["TSLA"], deadline=FUTURE
    )
    await asyncio.to_thread(running.finished, run_id)
    (order,) = of_run(await running.records("order.changed"), run_id)
    # The same order of another run, told as one whose time was over when it arrived.
    late = {**json.loads(order.value or b"{}"), "expires_at": PAST}
    other = new_run_id()
    with running.fault(kind="hang", path="marketdata/snapshot"):
        await asyncio.to_thread(
            running.trigger, strategy_id=strategy, run_id=other, symbols=["TSLA"]
        )
        body = json.dumps({**late, "run_id": other}).encode()
        await running.publish("order.changed", body, key=b"dry")

        run = await asyncio.to_thread(running.finished, other)

    assert outcomes(run) == {("simulated", "simulated")}
