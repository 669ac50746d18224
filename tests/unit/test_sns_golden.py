"""What leaves by SNS, word for word, for every kind of notice: the e-mail text and the chat notification."""

import json

import pytest

from chalicelib.notices import chat as chat_form
from chalicelib.notices import sns
from chalicelib.notices.notice import Notice
from samples.notices import SAMPLES
from tests.golden import assert_golden

REQUIRED = {"version", "source", "content"}
OPTIONAL = {"id", "metadata"}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_for_people(name: str) -> None:
    text = sns.text(SAMPLES[name])
    prose = [line for line in text.splitlines() if not line.lstrip().startswith(("aws ", "http", "- ", "unknown:"))]
    assert max(len(line) for line in prose) <= 100
    assert_golden(f"sns/{name}.txt", text)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_chat_notification(name: str) -> None:
    chat = chat_form.chat(SAMPLES[name])
    assert chat.keys() >= REQUIRED
    assert chat.keys() <= REQUIRED | OPTIONAL
    content = chat["content"]
    assert content.keys() <= {"textType", "title", "description", "nextSteps", "keywords"}
    assert 0 < len(content["description"]) <= chat_form.CHAT_DESCRIPTION
    assert len(content["title"]) <= chat_form.CHAT_TITLE
    assert all(len(step) <= chat_form.CHAT_STEP for step in content.get("nextSteps", ()))
    assert all(len(word) <= chat_form.CHAT_KEYWORD for word in content.get("keywords", ()))
    assert_golden(f"chat/{name}.json", json.dumps(chat, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_machine_form_is_read_back_as_it_was(name: str) -> None:
    machine = json.loads(json.loads(sns.message(SAMPLES[name]))["lambda"])
    assert machine["kind"] == SAMPLES[name].kind
    back = Notice.model_validate(machine)
    assert [change.model_dump(mode="json") for change in back.told] == [
        change.model_dump(mode="json") for change in SAMPLES[name].told
    ]
