"""Start, follow and stop a native stack from Python; the CLI and the tests stand on this."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.native.credentials import ensure_credentials
from deploy.native.environment import environment
from deploy.native.errors import PartFailedError, StackError
from deploy.native.files import tail
from deploy.native.home import CHECKOUT, Home
from deploy.native.kafka_jars import ensure_jars
from deploy.native.parts import Layer, check_scale, plan
from deploy.native.state import PartState, StackState, supervisor_pid
from deploy.native.supervisor import NOT_ALONE, Request
from deploy.native.wiring import wire

Watcher = Callable[[StackState], None]

_POLL_S = 0.05
# Longer than the graces of all layers together.
_DOWN_LIMIT_S = 60.0


class Stack:
    """One native stack, known by its home.

    ``env`` holds its settings; without it they are those of this process. Given, no ``OPENBELL_*``
    of this process reaches the stack, so that a test is not changed by who runs it.
    """

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.home = Home(Path(home).resolve())
        self._env = dict(os.environ)
        if env is not None:
            kept = {k: v for k, v in self._env.items() if not k.startswith("OPENBELL_")}
            self._env = kept | dict(env)
        self._process: subprocess.Popen[str] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a supervisor lives; it may still be starting or already be stopping."""
        return supervisor_pid(self.home) is not None

    def up(
        self,
        parts: Iterable[str] | None = None,
        scale: Mapping[str, int] | None = None,
        *,
        watch: Watcher = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> StackState:
        """Start the parts (all by default) and return when all are ready; join one that runs.

        ``watch`` is called at every change, ``say`` with lines for the user. Raises StackError,
        and then, as on an interrupt, leaves nothing running that this call started.
        """
        if self.is_running:
            return self._follow(watch)
        self._reap()  # an earlier supervisor of ours, killed by somebody
        request = self._prepare(parts, scale or {}, say)
        try:
            self._process = self._launch(request)
            return self._follow(watch)
        except BaseException:
            self._end_launched()
            raise

    def down(self) -> bool:
        """Stop everything and return when it has ended; False where nothing ran."""
        pid = supervisor_pid(self.home)
        if pid is None:
            self._reap()
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        self._await_end(pid)
        return True

    def state(self) -> StackState | None:
        """Return what the stack is doing; None where none runs."""
        pid = supervisor_pid(self.home)
        found = StackState.read(self.home)
        return found if found and found.pid == pid else None

    def running_state(self) -> StackState:
        """Return what the stack is doing. Raises StackError where none runs."""
        found = self.state()
        if found is None:
            msg = f"expected a running stack in {self.home.root}, found none; start it: openbell up"
            raise StackError(msg)
        return found

    def part(self, name: str, replica: int = 0) -> PartState:
        """Return one replica's state. Raises StackError where it does not run."""
        for part in self.running_state().parts:
            if (part.name, part.replica) == (name, replica):
                return part
        msg = f"expected {name} (replica {replica}) in this stack, found it not started"
        raise StackError(msg)

    def env_for(self, name: str, ordinal: int = 0) -> dict[str, str]:
        """Return the whole environment that a part of this stack is given."""
        wiring = self.running_state().wiring
        return environment(self._env, wiring, ensure_credentials(self.home), name, ordinal)

    def config(self) -> dict[str, Any]:
        """Return what is in force, without secrets. Raises StackError where none runs."""
        from deploy.native.config import in_force  # noqa: PLC0415  # only readers need it

        return in_force(self.running_state().wiring)

    def _prepare(
        self,
        parts: Iterable[str] | None,
        scale: Mapping[str, int],
        say: Callable[[str], None],
    ) -> Request:
        from deploy.native import settings_check  # noqa: PLC0415  # slow, as below

        settings_check.refuse_bad_names(self._env)
        check_scale(scale)
        chosen = plan(parts, self._env)
        replicas = {part.name: scale.get(part.name, 1) for part in chosen}
        listening = {part.name: replicas[part.name] for part in chosen if part.has_port}
        wiring = wire(self.home, self._env, listening)
        self.home.make()
        credentials = ensure_credentials(self.home)
        settings_check.refuse_bad_values(
            {
                part.name: environment(self._env, wiring, credentials, part.name)
                for part in chosen
                if part.layer is Layer.SERVICE
            }
        )
        if wiring.simulated:
            from deploy.native import market  # noqa: PLC0415  # slow, and `status` needs it not

            market.prepare(self.home, self._env)
        if "kafka" in replicas:
            from deploy.native.kafka_archive import ensure_archive  # noqa: PLC0415  # as above

            ensure_jars(say)
            ensure_archive(say)
        for note in wiring.notes:
            say(note)
        return Request(replicas, wiring)

    def _launch(self, request: Request) -> subprocess.Popen[str]:
        with self._log.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603  # our own command line
                [sys.executable, "-m", "deploy.native.supervisor", str(self.home.root)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._env,
                cwd=CHECKOUT,
                start_new_session=True,
                text=True,
            )
        if process.stdin:
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(request.to_json())
        return process

    def _follow(self, watch: Watcher) -> StackState:
        seen = None
        while True:
            state = self.state()
            if state and state != seen:
                watch(state)
                seen = state
            if state and state.phase == "ready":
                return state
            if state is None and self._has_ended():
                raise self._why_it_ended()
            time.sleep(_POLL_S)

    def _has_ended(self) -> bool:
        code = self._process.poll() if self._process else NOT_ALONE
        # Where another supervisor was first, that one is followed.
        return not self.is_running if code == NOT_ALONE else code is not None

    def _why_it_ended(self) -> StackError:
        found = StackState.read(self.home)
        if found and found.failure and not (self._process and found.pid != self._process.pid):
            return PartFailedError(found.failure.part, found.failure.why, found.failure.tail)
        if found is None:
            return StackError("the stack was stopped while it started")
        return PartFailedError("supervisor", f"see {self._log}", tail(self._log, 15))

    def _end_launched(self) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.terminate()
            process.wait(_DOWN_LIMIT_S)

    def _await_end(self, pid: int) -> None:
        limit = time.monotonic() + _DOWN_LIMIT_S
        while supervisor_pid(self.home) == pid:
            if time.monotonic() > limit:
                # Its children end with it; see kinship.
                os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_S)
        self._reap()

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process:
            process.wait()

    @property
    def _log(self) -> Path:
        return self.home.logs / "supervisor.log"
