"""`python -m participant`."""

import sys

from participant.cli import main

if __name__ == "__main__":
    sys.exit(main())
