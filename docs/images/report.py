"""Takes docs/images/report.png anew: draws a day's page as a browser shows it.

    python docs/images/report.py HOME/reports/DAY.html TARGET.png

Needs chromium (`apt-get install --no-install-recommends chromium`); the page loads nothing else.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH, HEIGHT = 1160, 1580


def main(page: Path, target: Path) -> None:
    """Draw the page into the target."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={target.resolve()}"]
        subprocess.run([*command, page.resolve().as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
