"""A derivatives desk: feeds, brain, gateway, books. Importing the package loads nothing else."""

__version__ = "0.1.0"
