"""The supervisor imports the tracker to fork it; MLflow's client would be in every service then."""

import subprocess
import sys

from tests.running import ROOT


def test_the_tracker_is_imported_without_mlflow() -> None:
    look = "import sys, services.tracker.main; print('mlflow' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
