"""The simulator as a client meets it: its own process, real HTTP, a small CSV of the test's."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

TSLA, NVDA = 76792991, 4815747
OPEN_MS = 1685626200000  # 2023-06-01T13:30:00Z
AN_HOUR_IN = "2023-06-01T14:30:00Z"
ORDERS = "iserver/account/DU1234567/orders"

ROWS = """Date,Open,High,Low,Close,Volume
2023-05-31,1199.78,1203.95,1195.12,1203.93,150711700
2023-06-01,1202.59,1209.80,1199.37,1207.52,148029900
2023-06-02,1210.15,1217.25,1209.00,1213.97,164129000
"""


class Simulator:
    """A running simulator and a client of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.api = httpx.Client(base_url=f"{self.base}/v1/api/", timeout=5)
        self.sim = httpx.Client(base_url=f"{self.base}/__sim__/", timeout=5)

    def get(self, path: str) -> Any:
        """Return the JSON of a read that has to succeed."""
        response = self.api.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def put_fault(self, **fault: Any) -> None:
        """Put one fault in force."""
        self.sim.put("faults", json={"faults": [fault]}).raise_for_status()


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Simulator]:
    """Start a simulator on a free port and end it."""
    for symbol in ("TSLA", "NVDA"):
        (folder / f"{symbol}.csv").write_text(ROWS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "services.simulator", "--port", str(port)]
    command += ["--bars", str(folder), *arguments]
    with subprocess.Popen(command) as process:
        simulator = Simulator(port)
        try:
            wait_until_up(simulator, process)
            yield simulator
        finally:
            simulator.api.close()
            simulator.sim.close()
            process.terminate()


def wait_until_up(simulator: Simulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            simulator.sim.get("state").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    msg = f"the simulator did not come up: {process.poll()}"
    raise AssertionError(msg)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One simulator for the module, at a standing time and without the pace of a real username."""
    folder = tmp_path_factory.mktemp("bars")
    arguments = ("--start", AN_HOUR_IN, "--speed", "0", "--switch", "requests_per_s=0")
    with running(folder, *arguments) as simulator:
        yield simulator


@pytest.fixture
def simulator(process: Simulator) -> Simulator:
    """The module's simulator with a new login and no faults."""
    process.sim.delete("faults").raise_for_status()
    httpx.post(f"{process.base}/sso/Login", content=b"").raise_for_status()
    return process


@pytest.fixture
def ready(simulator: Simulator) -> Simulator:
    """A simulator whose accounts have been asked for."""
    simulator.get("iserver/accounts")
    return simulator


def an_order(client_id: str, **changes: Any) -> dict[str, Any]:
    order = {
        "acctId": "DU1234567",
        "conid": TSLA,
        "cOID": client_id,
        "orderType": "LMT",
        "side": "BUY",
        "price": 1180.0,
        "quantity": 5,
        "tif": "DAY",
    }
    return {"orders": [{**order, **changes}]}


def test_a_session_is_authenticated_and_posts_without_body_are_taken(simulator: Simulator) -> None:
    for path in ("iserver/auth/status", "iserver/auth/status/", "tickle", "iserver/reauthenticate"):
        assert simulator.api.post(path).status_code == 200

    status = simulator.get("iserver/auth/status")

    assert status["authenticated"] is status["established"] is status["connected"] is True
    assert status["competing"] is False
    assert simulator.api.post("tickle").json()["iserver"]["authStatus"]["authenticated"] is True


def test_a_post_without_a_length_is_411(simulator: Simulator) -> None:
    assert simulator.api.post("tickle", content=iter([b""])).status_code == 411


def test_after_logout_all_is_401_until_a_new_login(simulator: Simulator) -> None:
    assert simulator.api.post("logout").json() == {"status": True}

    assert simulator.api.get("iserver/accounts").status_code == 401
    assert simulator.api.get("portfolio/accounts").status_code == 401
    assert simulator.api.post("tickle").json() == {"error": "no session"}

    httpx.post(f"{simulator.base}/sso/Login", content=b"")
    assert simulator.api.get("iserver/accounts").status_code == 200


def test_init_needs_publish_and_wins_over_a_competitor_only_by_force(simulator: Simulator) -> None:
    simulator.put_fault(kind="competing")

    refused = simulator.api.post("iserver/auth/ssodh/init", json={"compete": True})
    lost = simulator.api.post("iserver/auth/ssodh/init", json={"publish": True, "compete": False})
    won = simulator.api.post("iserver/auth/ssodh/init", json={"publish": True, "compete": True})

    assert refused.status_code == 500
    assert (lost.status_code, lost.json()["authenticated"]) == (200, False)
    assert won.json()["authenticated"] is True


def test_accounts_come_first(simulator: Simulator) -> None:
    answer = simulator.api.get(f"iserver/marketdata/snapshot?conids={TSLA}&fields=31")

    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request: Please query /accounts first"
    assert simulator.get("iserver/accounts")["isPaper"] is True


def test_a_field_is_absent_from_the_first_snapshot_that_asks_for_it(ready: Simulator) -> None:
    snapshot = f"iserver/marketdata/snapshot?conids={TSLA}%2C{NVDA}&fields="

    first = ready.get(f"{snapshot}31,84")
    second = ready.get(f"{snapshot}31,84,86")
    third = ready.get(f"{snapshot}31,84,86")

    assert first == [{"conid": c, "conidEx": str(c)} for c in (TSLA, NVDA)]
    assert "84" in second[0]
    assert "86" not in second[0]
    assert re.fullmatch(r"1,\d{3}\.\d\d", third[0]["86"])
    assert third[0]["_updated"] == OPEN_MS + 3_600_000
    assert third[0]["6509"][0] == "R"


def test_a_symbol_has_namesakes_and_an_unknown_one_is_left_out(ready: Simulator) -> None:
    stocks = ready.get("trsrv/stocks?symbols=TSLA%2CNOPE")
    found = ready.get("iserver/secdef/search?symbol=TSLA&secType=STK&name=True")

    listings = [c for company in stocks["TSLA"] for c in company["contracts"]]
    assert (listings[0]["conid"], listings[0]["isUS"]) == (TSLA, True)
    assert {c["exchange"] for c in listings} == {"NASDAQ", "MEXI", "TSE"}
    assert "NOPE" not in stocks
    assert found[0]["conid"] == str(TSLA)
    assert ready.get("iserver/secdef/search?symbol=NOPE") == []
    assert ready.get(f"iserver/contract/{TSLA}/info")["currency"] == "USD"
    assert ready.get(f"trsrv/secdef?conids={TSLA},1")["secdef"][0]["conid"] == TSLA


def test_history_ends_now_and_its_last_bar_is_unfinished(ready: Simulator) -> None:
    history = f"iserver/marketdata/history?conid={TSLA}&outsideRth=False"

    days = ready.get(f"{history}&period=5d&bar=1d")
    minutes = ready.get(f"{history}&period=1d&bar=1min")

    assert days["barLength"] == 86_400
    assert [bar["t"] for bar in days["data"]] == [OPEN_MS - 86_400_000, OPEN_MS]
    assert days["data"][0]["v"] * days["volumeFactor"] == 150711700
    assert days["points"] == len(days["data"]) - 1
    assert days["data"][1]["c"] == minutes["data"][-1]["c"]
    assert minutes["data"][-1]["t"] == OPEN_MS + 3_600_000
    assert max(bar["h"] for bar in minutes["data"]) == days["data"][1]["h"]
    assert sum(bar["v"] for bar in minutes["data"]) == pytest.approx(days["data"][1]["v"])


def test_an_unknown_bar_falls_back_without_a_word(ready: Simulator) -> None:
    answer = ready.get(f"iserver/marketdata/history?conid={TSLA}&period=1d&bar=5mins")

    assert answer["barLength"] == 60


def test_a_sixth_chart_at_once_is_too_many(ready: Simulator) -> None:
    ready.put_fault(kind="delay", path="history", seconds=0.3)
    url = f"{ready.base}/v1/api/iserver/marketdata/history?conid={TSLA}&period=1d&bar=1h"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(lambda _: httpx.get(url).status_code, range(6)))

    assert answers == [200] * 5 + [429]


def test_an_order_is_acknowledged_listed_once_and_cancelled(ready: Simulator) -> None:
    (ack,) = ready.api.post(ORDERS, json=an_order("listed")).json()
    again = ready.api.post(ORDERS, json=an_order("listed")).json()
    first, second = ready.get("iserver/account/orders"), ready.get("iserver/account/orders/")
    order_id = int(ack["order_id"])
    cancel = ready.api.delete(f"iserver/account/DU1234567/order/{order_id}").json()

    assert ack["order_status"] == "Submitted"
    assert again["error"].endswith("Local order ID=listed is already registered.")
    assert first == {"orders": [], "snapshot": False}
    assert [o["orderId"] for o in second["orders"] if o.get("order_ref") == "listed"] == [order_id]
    assert cancel["msg"] == "Request was submitted"
    assert ready.get(f"iserver/account/order/status/{order_id}")["order_status"] == "Cancelled"


def test_a_question_is_answered_and_the_tape_knows(ready: Simulator) -> None:
    (question,) = ready.api.post(ORDERS, json=an_order("far", price=900.0)).json()
    before = tape_row(ready, "far")
    (ack,) = ready.api.post(f"iserver/reply/{question['id']}", json={"confirmed": True}).json()

    assert question["messageIds"] == ["o163"]
    assert before["accepted"] is False
    assert ack["local_order_id"] == "far"
    assert tape_row(ready, "far")["accepted"] is True


def test_a_fill_moves_position_and_trades(ready: Simulator) -> None:
    order = an_order("filled", orderType="MKT", conid=NVDA)

    ready.api.post(ORDERS, json=order).raise_for_status()
    first, trades = (
        ready.get("iserver/account/trades"),
        ready.get("iserver/account/trades/?days=7"),
    )
    unasked = ready.get("portfolio/DU1234567/positions/0")
    ready.get("portfolio/accounts")
    position = next(
        row for row in ready.get("portfolio/DU1234567/positions/0") if row["conid"] == NVDA
    )

    assert first == unasked == []
    assert [row["order_ref"] for row in trades if row["conid"] == NVDA] == ["filled"]
    assert position["position"] == 5.0
    assert ready.get("portfolio/DU1234567/ledger")["USD"]["stockmarketvalue"] > 0
    assert ready.get("portfolio/DU1234567/summary")["netliquidation"]["amount"] > 0


def test_an_answer_may_be_lost_and_the_order_be_there(ready: Simulator) -> None:
    ready.put_fault(kind="drop", path="orders$", method="POST", when="after", count=1)

    with pytest.raises(httpx.TransportError):
        ready.api.post(ORDERS, json=an_order("lost"))
    ready.get("iserver/account/orders")
    listed = ready.get("iserver/account/orders")["orders"]

    assert tape_row(ready, "lost")["accepted"] is True
    assert [o["order_ref"] for o in listed].count("lost") == 1
    assert ready.sim.get("faults").json() == {"faults": []}


def test_an_order_that_is_cut_off_before_it_arrives_does_not_exist(ready: Simulator) -> None:
    ready.put_fault(kind="drop", path="orders$", method="POST", count=1)

    with pytest.raises(httpx.TransportError):
        ready.api.post(ORDERS, json=an_order("cut"))
    ready.get("iserver/account/orders")
    listed = ready.get("iserver/account/orders")["orders"]

    row = tape_row(ready, "cut")
    assert (row["answer"], row["accepted"]) == (None, False)
    assert "cut" not in [o.get("order_ref") for o in listed]


def tape_row(simulator: Simulator, client_id: str) -> dict[str, Any]:
    """Return the one row of the tape with a cOID."""
    rows = simulator.sim.get("orders").json()["orders"]
    (row,) = (row for row in rows if row["cOID"] == client_id)
    assert isinstance(row, dict)
    return row


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ({"kind": "html"}, 200, "<!DOCTYPE html>"),
        ({"kind": "status", "status": 503}, 503, ""),
        ({"kind": "status", "status": 500, "body": {"error": "x"}}, 500, '{"error": "x"}'),
        ({"kind": "logged_out"}, 401, "Access Denied"),
        ({"kind": "no_bridge"}, 400, "Bad Request: no bridge"),
    ],
)
def test_a_fault_answers_in_the_brokers_place(
    ready: Simulator, fault: dict[str, Any], status: int, text: str
) -> None:
    ready.put_fault(**fault, count=1)

    answer = ready.api.get("iserver/accounts")

    assert answer.status_code == status
    assert text in answer.text
    assert ready.api.get("iserver/accounts").status_code == 200


def test_a_hanging_request_ends_when_the_client_leaves(ready: Simulator) -> None:
    ready.put_fault(kind="hang", path="tickle")

    with pytest.raises(httpx.ReadTimeout):
        ready.api.post("tickle", timeout=0.2)

    assert ready.get("iserver/accounts")


def test_bars_and_quotes_are_spoilt_by_their_faults(ready: Simulator) -> None:
    faults = [{"kind": "bad_bars"}, {"kind": "crossed_quote"}, {"kind": "stale_updated"}]
    ready.sim.put("faults", json={"faults": faults}).raise_for_status()
    snapshot = f"iserver/marketdata/snapshot?conids={TSLA}&fields=84,86"

    ready.get(snapshot)
    (row,) = ready.get(snapshot)
    chart = ready.get(f"iserver/marketdata/history?conid={TSLA}&period=1d&bar=1h")

    assert row["84"] > row["86"]
    assert row["_updated"] == OPEN_MS
    assert all(bar["h"] < bar["l"] for bar in chart["data"])


def test_a_wrong_fault_is_a_422_that_says_why(simulator: Simulator) -> None:
    answer = simulator.sim.put("faults", json={"faults": [{"kind": "drop", "path": "("}]})

    assert answer.status_code == 422
    assert "regular expression" in answer.text


def test_state_says_what_the_market_is_made_of(ready: Simulator) -> None:
    state = ready.sim.get("state").json()

    assert (state["data"], state["seed"]) == ("csv", 1)
    assert state["market_time"] == "2023-06-01T14:30:00+00:00"
    assert set(state["prices"]) == {"TSLA", "NVDA"}
    assert state["pacing"]["per_path"]["iserver/accounts"] >= 1
    assert state["session"]["authenticated"] is True


def test_the_stream_says_who_is_there_beats_and_pushes_quotes(ready: Simulator) -> None:
    session = ready.api.post("tickle").json()["session"]

    frames = asyncio.run(listen(ready.port, session))

    assert [frame["topic"] for frame in frames[:3]] == ["system", "sts", "act"]
    assert frames[1]["args"]["authenticated"] is True
    assert frames[3]["topic"] == "tic"
    assert frames[4]["topic"] == f"smd+{TSLA}"
    assert {"31", "84", "86", "_updated"} <= frames[4].keys()


async def listen(port: int, session: str) -> list[dict[str, Any]]:
    """Log in by a message and subscribe; return five frames after the first."""
    async with connect(f"ws://127.0.0.1:{port}/v1/api/ws") as stream:
        assert await frame_of(stream) == {"message": "waiting for session"}
        await stream.send(json.dumps({"session": session}))
        hello = [await frame_of(stream) for _ in range(3)]
        await stream.send("tic")
        tic = await frame_of(stream)
        await stream.send(f'smd+{TSLA}+{{"fields":["31","84","86"]}}')
        return [*hello, tic, await frame_of(stream)]


async def frame_of(stream: ClientConnection) -> dict[str, Any]:
    """Return the next frame."""
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(stream.recv(), 5))
    return frame


def test_a_username_has_a_pace_and_another_process_agrees_on_prices(
    process: Simulator, tmp_path: Path
) -> None:
    record = tmp_path / "time.json"
    record.write_text(f'{{"start": "{AN_HOUR_IN}", "speed": "1", "anchor": null}}')

    with running(tmp_path, "--time-record", str(record)) as other:
        statuses = [other.api.get("iserver/auth/status").status_code for _ in range(14)]
        state = other.sim.get("state").json()

    assert statuses[:10] == [200] * 10
    assert statuses.count(429) == state["pacing"]["limited"] >= 1
    assert state["prices"] == process.sim.get("state").json()["prices"]
