"""One run of the demo: a plain message on Kafka, followed to its end."""

import json
import time
import uuid

from rich.console import Console

from cli import target
from cli.client import RefusedError
from cli.errors import CommandError, Exit
from cli.publish import Place, put
from cli.story import Story, tell
from cli.watch import RunWatch, follow_to_the_end
from deploy.native.wiring import Wiring
from shared.market_time import make_clock

_ASK_AGAIN_S = 0.02
_NOT_FOUND = 404


class DemoRun:
    """A run-request as any Kafka client would write it, and what became of it."""

    def __init__(self, wiring: Wiring, strategy_id: int, symbols: tuple[str, ...]) -> None:
        self._wiring = wiring
        self._api = target.api_at(wiring.url("api"))
        self.run_id = f"demo-{uuid.uuid4().hex[:8]}-{strategy_id}"
        fields = {"strategy_id": strategy_id, "symbols": symbols, "dry_run": True}
        self.request = json.dumps({**fields, "run_id": self.run_id})
        self.story: Story = tell(())

    @property
    def failed(self) -> bool:
        """Whether a symbol failed, or the run has not finished."""
        finished = self.story.finished
        return finished is None or any(s.outcome == "failed" for s in finished.symbols)

    def publish(self) -> Place:
        """Put the request onto Kafka. Raises CommandError."""
        return put(self._wiring.kafka_servers, "run.requested", self.request.encode())

    def watch(self, console: Console, *, timeout_s: float) -> None:
        """Show the run up to its end. Raises CommandError where it is refused or takes longer."""
        self._await_admission(timeout_s)
        with RunWatch(console, make_clock(self._wiring.files.market_time)) as watching:
            self.story = follow_to_the_end(
                self._api, self.run_id, timeout_s=timeout_s, seen=watching.add
            )

    def _await_admission(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while (story := self._so_far()).accepted is None:
            if story.refusal:
                raise CommandError(f"run {self.run_id}: {story.refusal.reason}", Exit.REFUSED)
            if time.monotonic() > deadline:
                msg = (
                    f"expected run {self.run_id} to be accepted within {timeout_s:g} s, found no "
                    "answer; see ./openbell logs api"
                )
                raise CommandError(msg, Exit.TIMED_OUT)
            time.sleep(_ASK_AGAIN_S)

    def _so_far(self) -> Story:
        try:
            return tell(self._api.events(self.run_id))
        except RefusedError as e:
            if e.status != _NOT_FOUND:
                raise
            return tell(())
