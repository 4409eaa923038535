"""What a command may end with: bad input is one line on stderr and status 2, never a traceback."""

DONE, NEEDS_A_PERSON, WRONG_USE, FAULT = 0, 1, 2, 3


class Refused(Exception):
    """The command cannot be carried out as asked: what, where, how to mend it."""
