"""The failures an operator can meet. Each message is one sentence that says what would be accepted."""

from collections.abc import Iterable


def nearest(name: str, accepted: Iterable[str], alike: float = 0.6) -> str | None:
    """The one of what is accepted that somebody may have meant, or None; ``alike`` is how much it must be, of 1."""
    import difflib  # a mistake is rare, and a cold start need not wait for it

    return next(iter(difflib.get_close_matches(name, list(accepted), n=1, cutoff=alike)), None)


class AuditorError(Exception):
    """Base of every failure that is the operator's to solve; its text is shown as it is, without a traceback.

    ``outside`` is what callers over HTTP are told instead: the text may name a role, a table or an account.
    """

    outside = "the audit failed; the log of the function says why"


class InvalidInput(AuditorError):
    """Something given by a person or a caller is wrong.

    ``field`` names the part that is wrong (a JSON path, an option or a query parameter), or is empty.
    """

    def __init__(self, message: str, *, field: str = "", code: str = "invalid_input") -> None:
        super().__init__(message)
        self.field = field
        self.code = code


class AccessFailed(AuditorError):
    """AWS cannot be reached or refuses the credentials, so that nothing at all can be audited."""

    outside = "AWS cannot be reached or refuses the auditor's credentials; the log of the function says why"
