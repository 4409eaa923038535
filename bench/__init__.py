"""Measurements of speed and size; `make bench` runs them all."""
