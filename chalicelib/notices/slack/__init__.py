"""Notices in Slack, through an incoming webhook."""

from chalicelib.notices.mrkdwn import escape, shortened
from chalicelib.notices.slack.blocks import blocks, payload, plain
from chalicelib.notices.slack.delivery import SlackFailed, deliver, deliver_event, forget, log, webhook_url
from chalicelib.notices.slack.headline import BLIND, COLOURS, EMOJI, WELL_COLOUR

__all__ = [
    "BLIND",
    "COLOURS",
    "EMOJI",
    "WELL_COLOUR",
    "SlackFailed",
    "blocks",
    "deliver",
    "deliver_event",
    "escape",
    "forget",
    "log",
    "payload",
    "plain",
    "shortened",
    "webhook_url",
]
