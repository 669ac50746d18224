"""One comment on a pull request, written once and kept up to date, by GitHub's REST API.

https://docs.github.com/en/rest/issues/comments
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: Characters of a comment, entries of a page and pages of a list, at most.
COMMENT, PAGE, PAGES = 65_536, 100, 100
#: How often a request is made that GitHub puts off, and for how many seconds it is waited for at most.
ATTEMPTS, PATIENCE = 4, 60.0
#: What GitHub answers when it will be asked again: a limit of the rate, or a fault of its own.
AGAIN = (429, 500, 502, 503, 504)
SECONDS = 30.0
ANSWER_BYTES = 32 * 1024 * 1024


class GitHubFailed(Exception):
    """GitHub refused, or answered what cannot be understood; ``status`` is 0 where there was no answer."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the API alone, wherever an answer points."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


@dataclass(frozen=True)
class GitHub:
    """The API at ``url`` (``GITHUB_API_URL``) for one repository (``owner/name``)."""

    url: str
    repository: str
    token: str
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Raises GitHubFailed for an address that would carry the token in the clear."""
        address = urlsplit(self.url)
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
            raise GitHubFailed(f"GITHUB_API_URL {self.url[:80]!r} is not encrypted; accepted is an https address")

    def keep_comment(self, number: int, marker: str, body: str) -> str:
        """Writes the comment of this marker on a pull request, or brings the one that is there up to date; its address.

        Only a comment of the token's own counts: whoever may comment could write the marker, too. Raises GitHubFailed.
        """
        login = self._login()
        for comment in self._comments(number):
            user = comment.get("user") or {}
            own = user.get("login") == login if login is not None else user.get("type") == "Bot"
            if own and str(comment.get("body") or "").startswith(marker):
                path = f"/repos/{self.repository}/issues/comments/{comment['id']}"
                return self._address(self._ask("PATCH", path, {"body": body}))
        return self._address(self._ask("POST", f"/repos/{self.repository}/issues/{number}/comments", {"body": body}))

    def _login(self) -> str | None:
        """Whose token it is; None for that of a workflow, which may not ask and writes as a bot."""
        try:
            login = self._ask("GET", "/user").get("login")
        except GitHubFailed as failed:
            if failed.status in (401, 403, 404):
                return None
            raise
        return login if isinstance(login, str) else None

    def _comments(self, number: int) -> Iterator[dict[str, Any]]:
        for page in range(1, PAGES + 1):
            path = f"/repos/{self.repository}/issues/{number}/comments?per_page={PAGE}&page={page}"
            listed = self._ask("GET", path)
            if not isinstance(listed, list):
                raise GitHubFailed("GitHub's list of comments is none")
            yield from (comment for comment in listed if isinstance(comment, dict))
            if len(listed) < PAGE:
                return

    @staticmethod
    def _address(comment: Any) -> str:
        address = comment.get("html_url") if isinstance(comment, dict) else None
        return address if isinstance(address, str) else ""

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of an answer; asked again where GitHub puts it off. Raises GitHubFailed."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._answer(method, path, body)
            except urllib.error.HTTPError as error:
                after = error.headers.get("Retry-After", "")
                again = error.code in AGAIN or (error.code == 403 and after)
                if not again or attempt == ATTEMPTS:
                    sentence = f"GitHub answers {method} {path} with {error.code}{_said(error)}"
                    raise GitHubFailed(sentence, error.code) from None
                self.sleep(min(PATIENCE, float(after) if after.isdecimal() else 2.0**attempt))
            except OSError as error:
                raise GitHubFailed(f"GitHub cannot be reached: {error}") from None
            except ValueError:
                raise GitHubFailed(f"GitHub answers {method} {path} with something that is no JSON") from None
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(
            self.url.rstrip("/") + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": "sagemaker-auditor",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            return json.loads(answer.read(ANSWER_BYTES))


def _said(error: urllib.error.HTTPError) -> str:
    """What GitHub says of an error, in one line."""
    try:
        message = json.loads(error.read(10_000)).get("message", "")
    except (ValueError, AttributeError, OSError):
        return ""
    return f" ({' '.join(str(message).split())[:200]})" if message else ""


def bounded(text: str, most: int = COMMENT) -> str:
    """The text in so many characters at most: cut at the end of a line, what was open is closed, and a sentence says
    that something is left out."""
    if len(text) <= most:
        return text
    tail = "\n\nThe rest does not fit into a comment: the JSON report, an artifact of the run, holds it all.\n"
    closing = "\n```\n" + "</details>" * 2
    kept = text[: most - len(tail) - len(closing)]
    kept = kept[: kept.rfind("\n") + 1]
    if kept.count("```") % 2:
        kept += "```\n"
    return kept + "</details>\n" * max(0, kept.count("<details>") - kept.count("</details>")) + tail
