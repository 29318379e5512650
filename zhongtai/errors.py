"""Errors that a user can act on."""


class ZhongtaiError(Exception):
    """Something is wrong with what was asked or given; the message says what to do.

    The command line prints it without a traceback.
    """


class UsageError(ZhongtaiError):
    """The command, the configuration or a contract is wrong (exit code 2)."""


class BusyError(ZhongtaiError):
    """Another run of the same merchant is under way."""
