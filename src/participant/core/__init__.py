"""The pure heart: values and functions. No clock, no I/O, no randomness, no logging."""
