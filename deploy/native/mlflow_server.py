"""Run MLflow's server in this process: ``python -m deploy.native.mlflow_server HOME PORT``.

The command ``mlflow server`` is a process that starts the server as another, so that everything is
imported twice; this is one, with the same settings handed over in the same way. Runs are kept in
SQLite and artifacts beside it, under the home.
"""

import os
import sys
from pathlib import Path

import uvicorn

from deploy.native.home import Home
from deploy.native.ports import LOOPBACK

_STOP_S = 5
# Read when MLflow is imported. It tells nobody what it is used for; its jobs (evaluations, scorers)
# would be two more processes that nothing here uses.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def main() -> None:
    """Prepare the store and serve."""
    home, port = Home(Path(sys.argv[1])), int(sys.argv[2])
    artifacts = home.mlflow / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    os.environ.update(_ENVIRONMENT)
    _hand_over(f"sqlite:///{home.mlflow / 'mlflow.db'}", artifacts)
    uvicorn.run(
        "mlflow.server.fastapi_app:app",
        host=LOOPBACK,
        port=port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_STOP_S,
    )


def _hand_over(store: str, artifacts: Path) -> None:
    """Do what the command ``mlflow server`` does before it starts the server's process."""
    from mlflow.server import constants, handlers  # noqa: PLC0415  # after its environment is set

    root = "mlflow-artifacts:/"
    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = store
    os.environ[constants.REGISTRY_STORE_URI_ENV_VAR] = store
    os.environ[constants.ARTIFACT_ROOT_ENV_VAR] = root
    os.environ[constants.SERVE_ARTIFACTS_ENV_VAR] = "true"
    os.environ[constants.ARTIFACTS_DESTINATION_ENV_VAR] = str(artifacts)
    handlers.initialize_backend_stores(store, store, root)


if __name__ == "__main__":
    main()
