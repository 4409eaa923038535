"""`python -m bench` runs every measurement; `python -m bench NAME ...` one of them, with its own options."""

import sys

from bench import (
    analytics,
    backtest,
    decision_age,
    fix,
    fix_books,
    halting,
    ingest,
    jobs,
    json_feeds,
    ladder,
    pricing,
    recorded_iv,
    recording,
    recovery,
    replay,
    safety,
    volatility,
)

MEASUREMENTS = {
    "decision_age": decision_age.main,
    "safety": safety.main,
    "halting": halting.main,
    "recovery": recovery.main,
    "pricing": pricing.main,
    "ladder": ladder.main,
    "replay": replay.main,
    "fix": fix.main,
    "fix_books": fix_books.main,
    "ingest": ingest.main,
    "json_feeds": json_feeds.main,
    "recording": recording.main,
    "jobs": jobs.main,
    "volatility": volatility.main,
    "recorded_iv": recorded_iv.main,
    "analytics": analytics.main,
    "backtest": backtest.main,
}


def main(words: list[str]) -> int:
    """Run what is asked for; the exit status."""
    if not words:
        for name, measure in MEASUREMENTS.items():
            print(f"{name}: {(sys.modules[measure.__module__].__doc__ or '').splitlines()[0]}", flush=True)
            measure([])
        return 0
    name, *options = words
    if name not in MEASUREMENTS:
        print(f"bench: no measurement {name!r}; there are: {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    MEASUREMENTS[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
