"""Untrusted text made safe for Slack's mrkdwn: escaped, shortened without a broken entity, kept inside its code.

Markup follows https://docs.slack.dev/messaging/formatting-message-text/.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from chalicelib.templating import clean

#: A longer link is left out, and what it would have led to is named all the same.
LINK = 500
#: The same of the one link to the report, which holds the token of a role where it is signed.
REPORT_LINK = 2_200


def escape(text: str) -> str:
    """The text with exactly the three characters replaced that Slack reads as markup, ``&`` first."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def width(text: str) -> int:
    """How long Slack counts a text, in UTF-16 units, the widest of the counts in use."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, limit: int) -> str:
    """The text escaped, cut so that it takes at most ``limit`` characters, with an ellipsis where it was cut.

    The cut comes before the escaping, so that no entity is cut in half.

    >>> shortened("a<b>c", 9)
    'a&lt;b…'
    """
    start = text[: limit + 1]  # what comes after cannot fit
    escaped = escape(start)
    if width(escaped) <= limit:
        return escaped
    if limit <= 0:
        return ""
    lengths = range(len(start) + 1)
    fitting = bisect_right(lengths, limit - 1, key=lambda length: width(escape(start[:length])))
    return escape(start[: fitting - 1]).rstrip() + "…"


def unticked(text: str) -> str:
    """Without backticks, which would open or close code: a look-alike that no shell knows stands for them."""
    return text.replace("`", "ˋ")


def words(text: str, limit: int) -> str:
    """An untrusted text on one line, escaped, without control characters, of at most ``limit`` characters."""
    return shortened(unticked(clean(" ".join(text.split()))), limit)


def code(text: str, limit: int) -> str:
    """An untrusted text as code within a line, or a dash when nothing is left of it."""
    inner = words(text, limit - 2)
    return f"`{inner}`" if inner else "–"


def link(url: str | None, label: str, limit: int, longest: int = LINK) -> str:
    """A link with an untrusted label; the label alone where there is no http(s) address, or one too long."""
    target = target_of(url, longest)
    if target is None:
        return words(label, limit) or "–"
    return f"<{target}|{words(label, limit) or 'link'}>"


#: What may stand in an address as it is; the rest, above all the signs that would end a link, is percent-encoded.
_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"


def target_of(url: str | None, longest: int = LINK) -> str | None:
    if url is None or not url.startswith(("https://", "http://")):
        return None
    plain = clean("".join(url.split()))
    if len(plain) > longest:
        return None  # encoding only lengthens it
    target = escape(quote(plain, safe=_IN_ADDRESSES))
    return target if width(target) <= longest else None


def number_of(number: int, word: str) -> str:
    """A count in words: ``1 finding``, ``4,812 findings``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def lasted(span: timedelta) -> str:
    """A span of time to the largest unit: ``3 days``, ``5 hours``, ``less than a minute``."""
    seconds = span.total_seconds()
    for word, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return number_of(int(seconds // length), word)
    return "less than a minute"


def counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {severity}" for severity, number in numbers.items() if number)
