"""Logs in which no name can forge a line or steer a terminal: whatever writes them, each record stays on its line."""

import logging

from chalicelib.input.marks import one_line


class CleanRecord(logging.LogRecord):
    """A record whose message shows control characters as marks; the trace of a failure stays on its lines."""

    def getMessage(self) -> str:
        """The message on one line."""
        return one_line(super().getMessage())


def keep_lines() -> None:
    """Has every record of the process made this way. For the places that own one: the terminal, and the functions."""
    logging.setLogRecordFactory(CleanRecord)
