"""What ends, and when: in the report, in a digest, and for calendar programs, read back by an independent parser."""

from datetime import UTC, date, datetime, timedelta

import icalendar as independent
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.audit.calendar import calendar
from chalicelib.notices.decide import Decision, digest
from chalicelib.notices.sns import text
from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.calendar import SOON_DAYS, CalendarEntry, in_order, soon
from chalicelib.report.findings import Exemption, Report
from chalicelib.report.formats.icalendar import LINE, icalendar
from chalicelib.report.formats.page import page
from chalicelib.report.merging import merged, report_of
from chalicelib.scope import Scope
from samples.builders import a_notebook, a_plan, a_quota, a_schedule, a_target, a_variant, an_inventory
from samples.notices import ACCOUNT, NOW, REGION, a_finding
from tests.examples import examples

pytestmark = pytest.mark.thorough

TODAY = NOW.date()
SCOPE = Scope(ACCOUNT, REGION)


def an_entry(days: int = 7, **changes: object) -> CalendarEntry:
    facts = {"day": TODAY + timedelta(days=days), "kind": "exemption", "resource": "churn-*", "says": "It ends"}
    return CalendarEntry.model_validate({**facts, **changes})


def exempting(*exemptions: ExemptionEntry) -> Policy:
    return replace(load_policy("baseline"), exemptions=exemptions)


def an_exemption(expires: date | None, resource: str = "churn-*") -> ExemptionEntry:
    return ExemptionEntry(
        rule="endpoint-idle", resource=resource, reason="a trial", owner="ml-platform", expires=expires
    )


def a_report(*entries: CalendarEntry, region: str = REGION) -> Report:
    policy = load_policy("baseline").used
    return report_of(ACCOUNT, region, trigger="schedule", policy=policy, started=NOW, calendar=entries)


def test_an_exemption_of_the_policy_is_listed_until_its_last_day() -> None:
    policy = exempting(
        an_exemption(TODAY),
        an_exemption(TODAY - timedelta(days=1)),
        an_exemption(TODAY + timedelta(days=400)),
        an_exemption(None),
    )
    entries = calendar(policy, (), (), an_inventory(), SCOPE, TODAY)
    assert [entry.day for entry in entries] == [TODAY, TODAY + timedelta(days=400)]
    assert entries[0].owner == "ml-platform"
    assert entries[0].says == "The exemption of churn-* from endpoint-idle ends"


def test_an_exemption_for_another_account_is_not_listed() -> None:
    elsewhere = an_exemption(TODAY, "arn:aws:sagemaker:eu-west-1:999999999999:endpoint/churn")
    assert calendar(exempting(elsewhere), (), (), an_inventory(), SCOPE, TODAY) == []


def test_an_exemption_by_tag_is_listed_with_its_resource() -> None:
    exemption = Exemption(reason="a trial", owner="ml", expires=TODAY, source="tag")
    finding = a_finding(status="exempt", exemption=exemption)
    (entry,) = calendar(exempting(), (), [finding], an_inventory(), SCOPE, TODAY)
    assert (entry.resource, entry.place) == (finding.resource.arn, f"{ACCOUNT} {REGION}")


RULES = ("platform-end-of-life", "reservation-ends")


def test_a_platform_is_listed_with_the_day_on_which_it_ends() -> None:
    notebook = a_notebook(PlatformIdentifier="notebook-al2023-v1")
    (entry,) = calendar(exempting(), RULES, (), an_inventory(notebook), SCOPE, TODAY)
    assert (entry.day, entry.kind, entry.resource) == (date(2029, 6, 30), "platform", notebook.arn)
    assert entry.says == "Amazon Linux 2023 under exploring is mended no more"


def test_each_block_of_a_training_plan_ends_by_itself() -> None:
    blocks = [(NOW - timedelta(days=1), NOW + timedelta(days=6)), (NOW + timedelta(days=7), NOW + timedelta(days=20))]
    entries = calendar(exempting(), RULES, (), an_inventory(a_plan(*blocks)), SCOPE, TODAY)
    assert [(entry.day - TODAY).days for entry in entries] == [6, 20]
    assert entries[0].says == "The training plan large ends for 8 ml.p5.48xlarge in euw1-az1"


QUOTA = "autoscaling-max-above-quota"


def test_a_quota_that_a_schedule_will_pass_is_listed_for_the_day_on_which_it_does() -> None:
    variant = a_variant(endpoint="ranking", count=2, instance_type="ml.g5.xlarge")
    around = (variant, a_target(variant, maximum=4), a_schedule(variant, maximum=6))
    quota = a_quota("ml.g5.xlarge", 5)
    (entry,) = calendar(exempting(), [QUOTA], (), an_inventory(quota, *around), SCOPE, TODAY)
    assert (entry.day - TODAY).days in (0, 1) and (entry.kind, entry.rule) == ("quota", QUOTA)
    assert entry.says == (
        "The schedule mornings of ranking/AllTraffic lets endpoints reach 6 instances, and the quota is 5 "
        "(ml.g5.xlarge for endpoint usage)"
    )


def test_no_schedule_passes_a_quota_with_room_or_one_that_is_passed_today_or_is_not_understood() -> None:
    variant = a_variant(endpoint="ranking", count=2, instance_type="ml.g5.xlarge")
    target = a_target(variant, maximum=4)
    for quota, schedule in [
        (6, a_schedule(variant, maximum=6)),
        (3, a_schedule(variant, maximum=6)),
        (5, a_schedule(variant, maximum=6, schedule="every now and then")),
        (5, a_schedule(variant, maximum=6, schedule="at(2020-01-01T00:00:00)")),
        (5, a_schedule(variant, maximum=6, schedule="at(9999-12-31T23:59:59)", Timezone="America/New_York")),
        (5, a_schedule(variant, maximum=6, schedule="rate(999999999999 days)", StartTime=NOW)),
        (5, a_schedule(variant, minimum=3)),
        (None, a_schedule(variant, maximum=6)),
    ]:
        estate = an_inventory(a_quota("ml.g5.xlarge", quota), variant, target, schedule)
        assert calendar(exempting(), [QUOTA], (), estate, SCOPE, TODAY) == []


def test_a_schedule_of_next_summer_is_listed_too() -> None:
    variant = a_variant(endpoint="ranking", count=2, instance_type="ml.g5.xlarge")
    day = TODAY + timedelta(days=200)
    schedule = a_schedule(variant, maximum=6, schedule=f"at({day}T12:00:00)")
    estate = an_inventory(a_quota("ml.g5.xlarge", 5), variant, a_target(variant, maximum=4), schedule)
    assert [entry.day for entry in calendar(exempting(), [QUOTA], (), estate, SCOPE, TODAY)] == [day]


def test_what_a_rule_that_is_off_would_read_adds_no_end() -> None:
    plan = a_plan((NOW, NOW + timedelta(days=6)))
    assert calendar(exempting(), ["endpoint-idle"], (), an_inventory(plan), SCOPE, TODAY) == []


def test_a_plan_that_is_over_or_in_a_state_that_is_not_known_adds_no_end() -> None:
    over, odd = a_plan(status="Expired", EndTime=NOW + timedelta(days=3)), a_plan(status="Melting")
    for plan in (over, odd):
        assert calendar(exempting(), RULES, (), an_inventory(plan), SCOPE, TODAY) == []


def test_what_the_policy_says_of_all_regions_stands_once_in_their_report() -> None:
    for_all, there = an_entry(9), an_entry(3, region="us-east-1", account=ACCOUNT)
    report = merged([a_report(for_all), a_report(there, for_all, region="us-east-1")])
    assert report.calendar == [there, for_all]


def test_a_digest_tells_what_ends_within_thirty_days_and_nothing_later() -> None:
    entries = [an_entry(days, says=f"It ends in {days} days") for days in (0, SOON_DAYS, SOON_DAYS + 1)]
    body = text(digest(Decision((), ()), a_report(*entries), load_policy("baseline")))
    assert f"The next {SOON_DAYS} days" in body
    assert "It ends in 0 days" in body and "It ends in 30 days" in body
    assert "31 days" not in body


def test_the_page_lists_what_ends_and_no_name_becomes_markup() -> None:
    shown = page(a_report(an_entry(says="<script>alert(1)</script> ends", owner="<b>ml</b>")))
    assert "1 in the next 30 days" in shown
    assert "<script>alert" not in shown and "<b>ml" not in shown


def test_a_calendar_program_reads_days_words_and_owners() -> None:
    entry = an_entry(kind="training-plan", says="Plan a; b, c\\d ends", owner="ml", rule="reservation-ends")
    (event,) = independent.Calendar.from_ical(icalendar([entry], NOW)).walk("VEVENT")
    assert event["SUMMARY"] == entry.says
    assert event.decoded("DTSTART") == entry.day
    assert event.decoded("DTEND") == entry.day + timedelta(days=1)
    assert str(event["DESCRIPTION"]).splitlines() == ["churn-*", "Rule reservation-ends", "Owner ml"]


def test_an_entry_whose_day_moves_keeps_its_id_and_two_ends_of_a_thing_have_two() -> None:
    def ids(*entries: CalendarEntry) -> list[str]:
        return [str(event["UID"]) for event in independent.Calendar.from_ical(icalendar(entries, NOW)).walk("VEVENT")]

    assert ids(an_entry(3)) == ids(an_entry(30))
    assert len(set(ids(an_entry(3), an_entry(30)))) == 2


@examples(100)
@given(st.text(max_size=200), st.text(max_size=200), st.dates(date(2026, 1, 1), date(2100, 1, 1)))
def test_any_text_is_read_back_and_no_line_is_too_long(says: str, resource: str, day: date) -> None:
    written = icalendar([CalendarEntry(day=day, kind="platform", resource=resource, says=says)], datetime.now(UTC))
    assert all(len(line.encode()) <= LINE for line in written.split("\r\n"))
    (event,) = independent.Calendar.from_ical(written).walk("VEVENT")
    assert event.decoded("DTSTART") == day


def test_entries_are_in_order_and_soon_counts_both_ends() -> None:
    entries = in_order([an_entry(31), an_entry(0), an_entry(30), an_entry(0)])
    assert [(entry.day - TODAY).days for entry in entries] == [0, 30, 31]
    assert [(entry.day - TODAY).days for entry in soon(entries, TODAY)] == [0, 30]
