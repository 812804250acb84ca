"""Containers asked for where no Docker engine is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT


def test_the_tests_end_in_one_line_before_any_has_run(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--stack=docker", "tests/unit"],
        env=os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert ran.returncode == 4
    assert ran.stdout == ""
    line = ran.stderr.strip()
    assert "\n" not in line
    assert line.startswith("ERROR: --stack=docker: expected a Docker engine that answers, found: ")
    assert line.endswith("start one or let DOCKER_HOST name it, or leave the option out")
