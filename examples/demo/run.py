"""Play a month of orders: ``python examples/demo/run.py --orders FILE --output DIR``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.demo.command import main

if __name__ == "__main__":
    sys.exit(main())
