"""Where the recorded markets lie that tests may read; they are no part of the project."""

import os
from pathlib import Path

import pytest

from tests.source import ROOT

DATA = Path(os.environ.get("PARTICIPANT_DATA") or ROOT.parent / "shared" / "data")
needs_data = pytest.mark.skipif(
    not (DATA / "MANIFEST.tsv").exists(), reason=f"no recorded markets at {DATA}: set PARTICIPANT_DATA"
)
