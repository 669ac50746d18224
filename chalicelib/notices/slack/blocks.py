"""A notice as Slack shows it: blocks within their limits, and plain text for when Slack refuses them.

Limits follow https://docs.slack.dev/reference/block-kit/.
"""

import json
from collections.abc import Sequence

from chalicelib.notices.mrkdwn import counts, escape, shortened, target_of, unticked, width
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.reasons import change_note
from chalicelib.notices.slack.buttons import buttons
from chalicelib.notices.slack.headline import announced, colour_of, news
from chalicelib.notices.slack.many_changes import of_many
from chalicelib.notices.slack.one_change import of_one
from chalicelib.notices.slack.pieces import Block, Room
from chalicelib.templating import clean, render

#: Slack refuses a message near 13,000 characters (https://github.com/slackapi/bolt-js/issues/2509).
MESSAGE = 12_000
#: A plain text may be longer, but is cut by Slack without a word.
PLAIN = 3_500

#: From everything to almost nothing; the first with which the message fits is taken.
ROOMS = (
    Room(lines=12, summary=300, text=2_500, commands=6_000),
    Room(lines=40, summary=0, text=1_500, commands=5_000),
    Room(lines=30, summary=0, text=1_200, commands=4_000),
    Room(lines=22, summary=0, text=900, commands=3_000),
    Room(lines=16, summary=0, text=600, commands=3_000),
    Room(lines=12, summary=0, text=450, commands=2_000),
    Room(lines=8, summary=0, text=300, commands=2_000),
    Room(lines=5, summary=0, text=200, commands=1_000),
    Room(lines=3, summary=0, text=150, commands=1_000),
    Room(lines=2, summary=0, text=100, commands=0),
    Room(lines=1, summary=0, text=80, commands=0),
    Room(lines=0, summary=0, text=40, commands=0),
)


def payload(notice: Notice, *, answerable: bool = False) -> Block:
    """The message as the webhook takes it: ``text`` for notifications, the header, and a coloured bar with the rest.

    ``answerable``: findings have buttons. Its JSON is at most 12,000 characters long; no text and no number of blocks
    exceeds what Slack takes.
    """
    return _message(notice, blocks(notice, answerable=answerable))


def blocks(notice: Notice, *, answerable: bool = False) -> list[Block]:
    """The blocks of a notice, the header first, with as much in them as the message has room for.

    They are fewer than 20, though Slack takes 50: with more in an attachment it has refused messages
    (https://github.com/slackapi/bolt-python/issues/914).
    """
    pressed = buttons(notice) if answerable else []
    for room in ROOMS:
        made = of_one(notice, room) if notice.single else of_many(notice, room)
        if made is not None and len(json.dumps(_message(notice, [*made, *pressed]))) <= MESSAGE:
            break
    assert made is not None  # the last rooms have no summaries
    return [*made, *pressed]


def _message(notice: Notice, made: list[Block]) -> Block:
    return {
        "text": announced(notice),
        "blocks": made[:1],
        "attachments": [{"color": colour_of(notice), "blocks": made[1:]}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


# ---- what stands in the place of the blocks


def plain(notice: Notice) -> Block:
    """The message without blocks, for when Slack refuses them: the same news as text, at most 3,500 characters."""
    change = _single(notice)
    urls = [change.finding.resource.console_url if change else None, notice.report_url]
    links = "".join(f"\n<{target}>" for target in map(target_of, urls) if target)
    room = PLAIN - width(links)
    commands = change.finding.fix.commands if change else []
    text = _plain_text(notice, commands, 0)
    if width(escape(text)) > room:  # it will be cut, and half a command does something else
        text = _plain_text(notice, [], len(commands))
    # Unparsed: Slack makes no links of addresses and no mentions of names by itself.
    settings = {"mrkdwn": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    return {"text": shortened(text, room) + links, **settings}


def _plain_text(notice: Notice, commands: Sequence[str], commands_left: int) -> str:
    change = _single(notice)
    text = render(
        "notices/slack/plain.txt.j2",
        {
            "notice": notice,
            "headline": "".join(news(notice)),
            "note": change_note(change, notice) if change else "",
            "commands": commands,
            "commands_left": commands_left,
            "groups": [(WORDS[kind], changes) for kind, changes in notice.changes],
            "named": 5,
            "still_open": counts(notice.still_open),
        },
    )
    return unticked(clean(text))


def _single(notice: Notice) -> Change | None:
    """The change of a notice about one; None for a digest."""
    return notice.only if notice.single else None
