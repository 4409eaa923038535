"""Fail-over between providers: injected faults in virtual time, through the real ingest."""
