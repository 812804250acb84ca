"""Find the command that was asked for and run it.

Only the module of that command is imported: help and ``status`` must not wait for what ``demo``
needs. A module holds ``app``, a ``typer.Typer`` with its commands; a command is listed here once
its module exists.

Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 timed out, 130 interrupted.
"""

import os
import sys
from importlib import import_module

import typer
from dotenv import dotenv_values

from cli.errors import CommandError, Exit
from deploy.native.errors import PartFailedError, RefusedError, StackError
from deploy.native.home import CHECKOUT

_INTERRUPTED = 130

COMMANDS: dict[str, dict[str, str]] = {
    "stack": {
        "up": "Start the stack and return when all is ready.",
        "down": "Stop the stack; its data stays.",
        "status": "Tell what runs.",
        "logs": "Show the logs of all parts or of one.",
        "simulator": "Run the broker simulator alone.",
    },
    "doctor": {"doctor": "Check the machine and the stack; say what to do."},
    "config": {"config": "Show the settings in force."},
    "demo": {"demo": "Run the main job on the demo market."},
    "runs": {
        "trigger": "Ask for a run of a strategy.",
        "runs": "List runs.",
        "show": "Show a run.",
    },
    "publish": {"publish": "Write a message to a topic as it stands."},
    "trace": {"trace": "Retell a run from quote to outcome."},
    "verify": {"verify": "Recompute a run and compare."},
    "control": {
        "halt": "Block new orders.",
        "resume": "Allow new orders again.",
    },
    "look": {
        "market": "Show the market's session.",
        "broker": "Show the broker's session.",
    },
    "strategy": {"strategy": "List or show strategies."},
    "init": {"init": "Write random secrets for the containers into .env."},
    "dev": {
        "test": "Run the tests.",
        "lint": "Check style, imports and dead code.",
        "types": "Check types.",
        "bench": "Measure and print the tables of the benchmarks.",
        "faults": "Run the fault tests.",
    },
}


def build(arguments: list[str]) -> typer.Typer:
    """Return the app: the module that ``arguments`` ask for, and names of the others for help."""
    app = typer.Typer(
        name="openbell",
        help="LLM-proposed, code-disposed trading on Interactive Brokers, on Apache Kafka.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for module, commands in COMMANDS.items():
        if wanted in commands:
            app.add_typer(import_module(f"cli.{module}").app)
            continue
        for name, summary in commands.items():
            app.command(name, help=summary)(lambda: None)
    return app


def load_env_file() -> None:
    """Add the settings of the checkout's ``.env``; what the environment says goes first."""
    for name, value in dotenv_values(CHECKOUT / ".env").items():
        if value is not None:
            os.environ.setdefault(name, value)


def complain(line: str) -> None:
    """Tell what went wrong, in one line."""
    sys.stderr.write(f"openbell: {line}\n")


def main() -> None:
    """Run the command line."""
    load_env_file()
    try:
        build(sys.argv[1:])()
    except PartFailedError as e:
        complain(f"{e}; the end of its log:\n{e.tail}")
        sys.exit(Exit.FAILED)
    except StackError as e:
        complain(str(e))
        sys.exit(Exit.REFUSED if isinstance(e, RefusedError) else Exit.FAILED)
    except CommandError as e:
        complain(str(e))
        sys.exit(e.code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Who read our output has gone, for example `openbell logs | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    main()
