"""MLflow's runs by its own client: blocking, for threads.

Importing this costs seconds and a hundred megabytes: only ``writing`` does, when there is something
to write. Every call may be repeated: what an earlier attempt made is found by its tags before any
is made again, what is logged again replaces itself, and a trace has an id of its own making.
"""

import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from services.tracker.errors import AwayError
from services.tracker.logged import RUN_TAG, SYMBOL_TAG, WHOLE, Logged
from services.tracker.traces import Traces

EXPERIMENT: Final = "openbell"
# MLflow gives back no more at once; a run has at most 100 symbols by default.
_MOST = 1000
_REFUSED = range(400, 500)
# These are no judgement on what was sent: not now, or not to us, which an operator will mend.
_OF_NO_RUN = {401, 403, 408, 425, 429}


def _is_refusal(error: Exception) -> bool:
    """Whether MLflow took a request and said no: it will say so again."""
    code = error.get_http_status_code() if isinstance(error, MlflowException) else 0
    return code in _REFUSED and code not in _OF_NO_RUN


class Client:
    """Runs of the experiment ``openbell`` on one tracking server."""

    def __init__(self, tracking_uri: str) -> None:
        self._mlflow = MlflowClient(tracking_uri)
        self._traces = Traces(tracking_uri)
        self._experiment_id: str | None = None
        self._one_at_a_time = threading.Lock()

    def write(
        self, runs: Sequence[Logged], known: Mapping[str, str], *, unsure: bool
    ) -> dict[str, str]:
        """Write a run with its symbols; return MLflow's ids by symbol.

        ``known`` are ids from an earlier time; ``unsure`` says that an attempt before this one did
        not come to its end and may have made some. (To search costs MLflow more the more runs it
        has, so it is not done for all.) Raises AwayError where MLflow does not answer, and what its
        client raises where it refuses.
        """
        run_id = runs[0].tags[RUN_TAG]
        try:
            ids = self._find(run_id, known) if unsure else dict(known)
            for logged in runs:
                if logged.symbol not in ids:
                    ids[logged.symbol] = self._create(logged, ids.get(WHOLE))
            # The run itself last: while it is not over in MLflow, something is missing.
            for logged in reversed(runs):
                self._fill(ids[logged.symbol], logged)
            # Once more: a request that was given up may have arrived since.
            return self._find(run_id, ids) if unsure else ids
        except (MlflowException, requests.RequestException, OSError) as e:
            self._experiment_id = None  # it may be another server by now
            if _is_refusal(e):
                raise
            raise AwayError(str(e)) from e

    def _find(self, run_id: str, known: Mapping[str, str]) -> dict[str, str]:
        """Return the ids by symbol. Of two alike, as an unanswered request leaves, one stays."""
        ids = dict(known)
        query = f"tags.`{RUN_TAG}` = '{run_id}'"
        found = self._mlflow.search_runs([self._experiment()], query, max_results=_MOST)
        for run in sorted(found, key=lambda run: str(run.info.run_id)):
            symbol = run.data.tags.get(SYMBOL_TAG, WHOLE)
            if ids.setdefault(symbol, run.info.run_id) != run.info.run_id:
                self._mlflow.delete_run(run.info.run_id)
        return ids

    def _create(self, logged: Logged, parent: str | None) -> str:
        tags = {name: logged.tags[name] for name in (RUN_TAG, SYMBOL_TAG) if name in logged.tags}
        if parent is not None:
            tags[MLFLOW_PARENT_RUN_ID] = parent
        made = self._mlflow.create_run(
            self._experiment(), _milliseconds(logged.started), tags, logged.name
        )
        return str(made.info.run_id)

    def _fill(self, mlflow_run_id: str, logged: Logged) -> None:
        at = _milliseconds(logged.ended)
        self._mlflow.log_batch(
            mlflow_run_id,
            metrics=[Metric(name, value, at, 0) for name, value in logged.metrics.items()],
            params=[Param(name, value) for name, value in logged.params.items()],
            tags=[RunTag(name, value) for name, value in logged.tags.items()],
        )
        with tempfile.TemporaryDirectory(prefix="openbell-tracker-") as folder:
            for name, text in logged.files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            self._mlflow.log_artifacts(mlflow_run_id, folder)
        if logged.call is not None:
            self._traces.log(self._experiment(), mlflow_run_id, logged.call)
        self._mlflow.set_terminated(mlflow_run_id, logged.status, at)

    def _experiment(self) -> str:
        with self._one_at_a_time:
            if self._experiment_id is None:
                found = self._mlflow.get_experiment_by_name(EXPERIMENT)
                made = found.experiment_id if found else self._mlflow.create_experiment(EXPERIMENT)
                self._experiment_id = str(made)
            return self._experiment_id


def _milliseconds(instant: datetime) -> int:
    return max(0, round(instant.timestamp() * 1000))
