"""Recorded days through the whole desk in one process: what the strategy decided on each, and what must hold."""
