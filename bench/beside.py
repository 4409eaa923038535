"""What the measurements beside other libraries share: their options, their bars, and what becomes of a result."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OURS, THEIRS = "#1f6f5c", "#b0532a"


def options(name: str, **numbers: int) -> argparse.ArgumentParser:
    """`--peers`, `--out`, `--plot`, and numbers with their defaults."""
    parser = argparse.ArgumentParser(prog=f"bench.{name}")
    parser.add_argument("--peers", type=Path)
    for number, default in numbers.items():
        parser.add_argument(f"--{number}", type=int, default=default)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    return parser


def bars(axes: Any, values: Mapping[str, float], told: str, label: str) -> None:
    """A bar a way on a logarithmic scale, ours in a colour of their own, each with its value as `told` says."""
    colours = [OURS if name.startswith("our") else THEIRS for name in values]
    drawn = axes.barh([*values], [*values.values()], color=colours)
    axes.bar_label(drawn, fmt=told, padding=3, fontsize=8)
    axes.set(xscale="log", xlabel=label)


def keep(result: Any, asked: argparse.Namespace, draw: Callable[[Any, Path], None]) -> None:
    """Write the result as JSON and as a picture, where that is asked for."""
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if asked.plot:
        draw(result, asked.plot)


def demand(is_equal: bool, what: str) -> None:
    """End with status 1 where the ways that are compared did not do the same."""
    if not is_equal:
        sys.exit(f"bench: {what}: the ways that are compared did not do the same, so their times say nothing")
