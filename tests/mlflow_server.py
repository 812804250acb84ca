"""A real MLflow server of the tests, and what it knows of runs, asked over its own REST."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.native.ports import Ports
from tests.running import ROOT, until


class MlflowServer:
    """Started and stopped at will, always on the same port and with the same runs."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.port = Ports().any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Return after how many seconds it answers; one that runs goes on."""
        if self._process is not None:
            return 0.0
        began = time.monotonic()
        command = ["deploy.native.mlflow_server", str(self._home), str(self.port)]
        self._process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
        until(self._answers, "MLflow", 170)
        return time.monotonic() - began

    def stop(self) -> None:
        """Stop, as an operator would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def _answers(self) -> bool | None:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=5).is_success or None
        return None

    def runs(self) -> list["MlflowRun"]:
        """Return all runs of the experiment; none where it is not there yet."""
        with httpx.Client(base_url=f"{self.url}/api/2.0/mlflow", timeout=60) as http:
            named = {"experiment_name": "openbell"}
            found = http.get("/experiments/get-by-name", params=named)
            if found.status_code == 404:
                return []
            experiment = found.raise_for_status().json()["experiment"]["experiment_id"]
            ask: dict[str, Any] = {"experiment_ids": [experiment], "max_results": 1000}
            answer = http.post("/runs/search", json=ask).raise_for_status().json()
            return [MlflowRun(run) for run in answer.get("runs", [])]

    def files(self, run: "MlflowRun") -> dict[str, int]:
        """Return the names and sizes of a run's artifacts."""
        url = f"{self.url}/api/2.0/mlflow/artifacts/list"
        answer = httpx.get(url, params={"run_id": run.id}, timeout=60).raise_for_status().json()
        return {file["path"]: int(file["file_size"]) for file in answer.get("files", [])}

    def traces_of(self, run: "MlflowRun") -> list[dict[str, Any]]:
        """Return the traces that belong to a run."""
        place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": run.of}}
        ask = {"locations": [place], "filter": f"metadata.`mlflow.sourceRun` = '{run.id}'"}
        url = f"{self.url}/api/3.0/mlflow/traces/search"
        answer = httpx.post(url, json=ask, timeout=60).raise_for_status().json()
        found: list[dict[str, Any]] = answer.get("traces", [])
        return found


class MlflowRun:
    """A run as MLflow's REST shows it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.id: str = raw["info"]["run_id"]
        self.of: str = raw["info"]["experiment_id"]
        self.name: str = raw["info"]["run_name"]
        self.status: str = raw["info"]["status"]
        self.tags = {tag["key"]: tag["value"] for tag in raw["data"].get("tags", [])}
        self.params = {p["key"]: p["value"] for p in raw["data"].get("params", [])}
        self.metrics = {m["key"]: m["value"] for m in raw["data"].get("metrics", [])}

    @property
    def run_id(self) -> str:
        """Return openbell's id."""
        return str(self.tags["openbell.run_id"])

    @property
    def parent(self) -> str | None:
        return self.tags.get("mlflow.parentRunId")
