"""``python -m services.simulator``."""

import sys

from services.simulator.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
