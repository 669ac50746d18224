"""Why something could not be read."""

from enum import StrEnum


class Cause(StrEnum):
    """What stood in the way of reading. All but the last make an audit incomplete: with a permission, time or another
    try there would have been more to see."""

    #: AWS refuses: a permission is missing, or the credentials are not accepted.
    DENIED = "denied"
    #: The call failed, or was not made: an error of AWS's own, the network, a bound of the audit.
    FAILED = "failed"
    #: AWS let no call through any more.
    THROTTLED = "throttled"
    #: AWS answered, and the answer cannot be understood.
    MALFORMED = "malformed"
    #: AWS answered and leaves out what is asked for, as the image inside a model package: nothing would bring it.
    NOT_TOLD = "not_told"

    @property
    def words(self) -> str:
        """The cause as people read it."""
        return _WORDS[self]


_WORDS = {
    Cause.DENIED: "denied",
    Cause.FAILED: "failed",
    Cause.THROTTLED: "throttled",
    Cause.MALFORMED: "malformed answer",
    Cause.NOT_TOLD: "not told by AWS",
}
