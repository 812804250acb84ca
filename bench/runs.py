"""How long a run takes, from the ``run.requested`` record to the ``run.finished`` record.

Dry runs of strategy 1 (TSLA and NVDA) on a native stack of its own, at a steady pace, with the
model replaced by ``bench.instant_llm`` over HTTP; nothing is subtracted. Times are those that
producers put into the records, in milliseconds. ``python -m bench.runs [--runs N] [--rate R]``
"""

import argparse
import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import httpx
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from deploy.native.parts import PARTS
from deploy.native.processes import memory_mb
from deploy.native.stack import Stack

WARM_UPS = 20
# Topics in the order of the way through; a step ends with the last record of its topic.
STEPS = {
    "accept": "run.accepted",
    "market_open": "run.market-open",
    "broker_ready": "run.broker-ready",
    "evidence": "evidence.captured",
    "signal": "signal.checked",
    "order": "order.changed",
    "finish": "run.finished",
}
Times = dict[str, dict[str, int]]
# Who only watches; on two cores it takes its share of them all the same.
WATCHERS = {"mlflow", "tracker"}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rate", type=float, default=3.0, help="runs a second")
    parser.add_argument("--path-only", action="store_true", help="without tracker and MLflow")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="openbell-bench-"))
    home.chmod(0o755)
    endpoint, url = _instant_llm()
    stack = Stack(home / "home", _settings(url))
    try:
        state = stack.up(_parts(path_only=options.path_only))
        await_all(stack)
        before = cpu_of(stack)
        times = asyncio.run(measure(stack, options.runs, options.rate))
        asked = options.runs + WARM_UPS
        used = {name: (s - before[name]) * 1000 / asked for name, s in cpu_of(stack).items()}
        show(times, state.took_s or 0.0)
        show_processes(used, memory_of(stack))
    finally:
        stack.down()
        endpoint.terminate()
        endpoint.wait(10)
        shutil.rmtree(home, ignore_errors=True)
    return 0 if len(times) == options.runs else 1


def _parts(*, path_only: bool) -> list[str]:
    return [name for name in PARTS if not (path_only and name in WATCHERS)]


def _settings(llm: str) -> dict[str, str]:
    return {
        "OPENBELL_API__PORT": "0",
        "OPENBELL_KAFKA__PORT": "0",
        "OPENBELL_MLFLOW__PORT": "0",
        "OPENBELL_LLM__BASE_URL": llm,
        "OPENBELL_LLM__MODEL": "instant",
        "OPENBELL_MARKET_TIME__START": "2023-06-05T10:00:00-04:00",
    }


def _instant_llm() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bench.instant_llm", "--port", str(port)]
    process = subprocess.Popen(command)  # noqa: S603  # our own command line
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            break
    return process, f"http://127.0.0.1:{port}/v1"


async def measure(stack: Stack, runs: int, rate: float) -> Times:
    """Return the times of each step's end by run, in ms of the epoch."""
    servers = stack.config()["kafka"]["bootstrap_servers"]
    consumer = AIOKafkaConsumer(
        "run.requested", *STEPS.values(), bootstrap_servers=servers, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=0)
    await consumer.start()
    await producer.start()
    times: Times = defaultdict(dict)
    ids = [f"warm-{n}" for n in range(WARM_UPS)] + [f"bench-{n}" for n in range(runs)]
    asking = asyncio.create_task(ask(producer, ids, rate))
    limit = time.monotonic() + len(ids) / rate + 60
    try:
        while time.monotonic() < limit and not _all_done(times, ids):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    run_id = json.loads(record.value)["run_id"]
                    seen = times[run_id].get(record.topic, 0)
                    times[run_id][record.topic] = max(seen, record.timestamp)
        await asking
    finally:
        await producer.stop()
        await consumer.stop()
    return {run: t for run, t in times.items() if run.startswith("bench") and _done(t)}


async def ask(producer: AIOKafkaProducer, ids: list[str], rate: float) -> None:
    """Ask for runs at a steady pace, whether or not the ones before have ended."""
    for run_id in ids:
        body = {"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True, "run_id": run_id}
        await producer.send_and_wait("run.requested", json.dumps(body).encode())
        await asyncio.sleep(1 / rate)


def _done(times: dict[str, int]) -> bool:
    return "run.finished" in times and "run.requested" in times


def _all_done(times: Times, ids: list[str]) -> bool:
    return all(_done(times[run_id]) for run_id in ids if run_id in times) and len(times) == len(ids)


def show(times: Times, start_up_s: float) -> None:
    """Print where the time of a run goes."""
    table = Table("step", "p50 ms", "p95 ms", "p99 ms", title=f"{len(times)} dry runs")
    before = "run.requested"
    for step, topic in STEPS.items():
        table.add_row(step, *_percentiles([t[topic] - t[before] for t in times.values()]))
        before = topic
    whole = [t["run.finished"] - t["run.requested"] for t in times.values()]
    table.add_row("whole run", *_percentiles(whole), style="bold")
    console = Console(width=100)
    console.print(table)
    console.print(f"start-up: {start_up_s:.1f} s")


def show_processes(cpu_ms: dict[str, float], memory_mb: dict[str, float]) -> None:
    """Print what a run costs each process, idle time of the pace included, and its memory."""
    table = Table("process", "CPU ms a run", "PSS MB", title="processes")
    for name in sorted(memory_mb):
        table.add_row(name, f"{cpu_ms[name]:.0f}", f"{memory_mb[name]:.0f}")
    whole = sum(cpu_ms.values()), sum(memory_mb.values())
    table.add_row("all", *(f"{value:.0f}" for value in whole), style="bold")
    Console(width=100).print(table)


def _percentiles(values: list[int]) -> tuple[str, str, str]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"{cuts[49]:.0f}", f"{cuts[94]:.0f}", f"{cuts[98]:.0f}"


def await_all(stack: Stack) -> None:
    """Return when MLflow, which nobody else waits for, is there too."""
    while any(not p.task and p.state != "ready" for p in stack.running_state().parts):
        time.sleep(0.5)


def cpu_of(stack: Stack) -> dict[str, float]:
    """Return the CPU seconds that each process that runs has used so far, its children's too."""
    used: dict[str, float] = {}
    for part in stack.running_state().parts:
        if part.pid and part.state == "ready":
            leader = psutil.Process(part.pid)
            each = [p.cpu_times() for p in (leader, *leader.children(recursive=True))]
            used[part.name] = sum(t.user + t.system for t in each)
    return used


def memory_of(stack: Stack) -> dict[str, float]:
    """Return the proportional set size of each process that runs, in MB."""
    parts = stack.running_state().parts
    return {p.name: memory_mb(p.pid) or 0.0 for p in parts if p.pid and p.state == "ready"}


if __name__ == "__main__":
    sys.exit(main())
