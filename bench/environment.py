"""An environment of its own for the libraries that a measurement compares with: none of them is the product's."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def python_in(folder: Path, packages: Sequence[str], interpreter: str = sys.executable) -> Path:
    """The interpreter of the environment that holds these packages; made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def said_by(python: Path, script: str, asked: Mapping[str, Any], paths: Sequence[Path] = ()) -> dict[str, Any]:
    """What bench/`script` prints in its last line, as JSON, there; `paths` are where it finds what is imported."""
    command = [str(python), "-W", "ignore", str(ROOT / "bench" / script), json.dumps(asked)]
    alone = {**os.environ, "NUMBA_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, paths))}  # of one core
    said = subprocess.run(command, env=alone, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result
