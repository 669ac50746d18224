"""Whole reports in the bucket: as JSON and as a page, and the link by which a person opens them."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

from chalicelib.errors import InvalidInput
from chalicelib.ledger.history import History
from chalicelib.ledger.table import LedgerFailed
from chalicelib.notices import stored
from chalicelib.notices.notice import Kept
from chalicelib.notices.stored import keep
from chalicelib.report.findings import Report
from chalicelib.report.posture import Point
from chalicelib.settings import Settings
from chalicelib.storage import StoreFailed, console_page, signed
from tests.unit.test_notices import a_finding, a_report

BUCKET = "auditor-reports"
NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)


class Bucket:
    """A session whose S3 keeps what is put, and refuses keys that end in one of these."""

    def __init__(self, *refused: str, session: Any = None) -> None:
        self.refused, self.objects = refused, dict[str, Mapping[str, Any]]()
        self.session = session or boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
        self.region_name = self.session.region_name

    def client(self, name: str, config: Any = None) -> Any:
        return self if config is not stored_config() else self.session.client(name, config=config)

    def get_credentials(self) -> Any:
        return self.session.get_credentials()

    def put_object(self, **object: Any) -> None:
        if object["Key"].endswith(self.refused or ("nothing",)):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
        self.objects[object["Key"]] = object


def stored_config() -> Any:
    from chalicelib.storage import SIGN_CONFIG

    return SIGN_CONFIG


def settings(**more: str) -> Settings:
    return Settings.from_environment({"AUDITOR_BUCKET": BUCKET, **more})


def presigned() -> Settings:
    return settings(AUDITOR_REPORT_LINKS="presigned")


@pytest.fixture
def report() -> Report:
    return a_report(a_finding())


def test_the_page_lies_beside_the_json_under_the_buckets_key_and_for_nobody_elses_cache(report: Report) -> None:
    bucket = Bucket()
    kept = keep(report, settings(), bucket)
    json_key, html_key = sorted(bucket.objects, reverse=True)
    assert json_key.removesuffix(".json") == html_key.removesuffix(".html")
    kinds = {key: stored["ContentType"] for key, stored in bucket.objects.items()}
    assert kinds == {json_key: "application/json", html_key: "text/html; charset=utf-8"}
    assert Report.model_validate_json(bucket.objects[json_key]["Body"]) == report
    assert bucket.objects[html_key]["Body"].startswith(b"<!DOCTYPE html>")
    for object in bucket.objects.values():
        assert object["Bucket"] == BUCKET
        assert "ServerSideEncryption" not in object  # it would put S3's key in the place of the bucket's own
        assert object["CacheControl"] == "private, no-cache"
    console = urlsplit(kept.url or "")
    assert (console.netloc, console.path) == ("eu-west-1.console.aws.amazon.com", f"/s3/object/{BUCKET}")
    assert parse_qs(console.query) == {"region": ["eu-west-1"], "prefix": [html_key]}
    assert (kept.note, kept.lost) == ("", "")


def test_reports_of_two_accounts_of_one_run_do_not_take_each_others_place(report: Report) -> None:
    bucket = Bucket()
    for account in ("111122223333", "444455556666"):
        keep(report.model_copy(update={"accounts": [account]}), settings(), bucket)
    assert len(bucket.objects) == 4


def test_a_page_that_cannot_be_stored_costs_neither_the_json_nor_the_notice(report: Report) -> None:
    bucket = Bucket(".html")
    kept = keep(report, settings(), bucket)
    (key,) = bucket.objects
    assert key.endswith(".json")
    assert kept.url is not None and kept.url.endswith(".json")
    assert "AccessDenied" in kept.lost


def test_a_page_that_cannot_be_made_costs_neither(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> str:
        raise ZeroDivisionError("a chart of no width")

    monkeypatch.setattr("chalicelib.report.formats.page.page", fails)
    bucket = Bucket()
    kept = keep(report, settings(), bucket)
    assert [key.rsplit(".")[-1] for key in bucket.objects] == ["json"]
    assert "a chart of no width" in kept.lost


def test_of_a_report_that_is_too_large_no_page_is_made(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PAGE_CHARACTERS", 10)
    bucket = Bucket()
    kept = keep(report, settings(), bucket)
    assert [key.rsplit(".")[-1] for key in bucket.objects] == ["json"]
    assert "(up to 10): `auditor show` makes it" in kept.lost


def test_json_that_cannot_be_stored_is_a_failure(report: Report) -> None:
    with pytest.raises(StoreFailed, match="AccessDenied"):
        keep(report, settings(), Bucket(".json"))


def test_without_a_bucket_the_report_is_read_at_the_api_or_nowhere(report: Report) -> None:
    assert keep(report, Settings(url="https://api.example.org/api/"), None) == Kept("https://api.example.org/api/audit")
    assert keep(report, Settings(), None) == Kept()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ("us-iso-east-1", None),
    ],
)
def test_each_partition_has_its_console(region: str, host: str | None) -> None:
    page = console_page(BUCKET, "reports/a b&c.html", region)
    assert (urlsplit(page).netloc if page else None) == host
    assert page is None or page.endswith("&prefix=reports%2Fa%20b%26c.html")


@pytest.mark.parametrize("fails", [False, True])
def test_the_page_of_a_sweep_has_the_trend_unless_the_table_fails(report: Report, fails: bool) -> None:
    class Sweeps(History):
        def trend(self, account: str) -> tuple[Point, ...]:
            if fails:
                raise LedgerFailed("the table ledger cannot be used")
            days = [NOW - timedelta(days=days) for days in (9, 8)]
            return tuple(Point(day, score, {}, 4, 0, ("eu-west-1",)) for day, score in zip(days, (40, 60), strict=True))

    bucket = Bucket()
    kept = keep(report, settings(), bucket, Sweeps("ledger", None))
    (page,) = [object["Body"].decode() for key, object in bucket.objects.items() if key.endswith(".html")]
    assert ("3 sweeps as a table" in page) is not fails  # the two before, and this one
    assert kept.lost == ""


# ---- a link that opens without signing in


def test_a_presigned_link_says_who_can_open_it_and_until_when(report: Report) -> None:
    kept = keep(report, presigned(), Bucket())
    query = parse_qs(urlsplit(kept.url or "").query)
    assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], [str(12 * 3600)])
    assert kept.note.startswith("Whoever has this link reads the report without signing in, until ")
    assert "at the latest" not in kept.note  # keys of a user tell no end because they have none
    assert "Afterwards: https://eu-west-1.console.aws.amazon.com/s3/object/" in kept.note


def test_keys_of_a_role_that_do_not_tell_their_end_are_said_to_end_sooner(report: Report) -> None:
    of_a_function = boto3.Session("ASIAEXAMPLE", "secret", "token", region_name="eu-west-1")
    kept = keep(report, presigned(), Bucket(session=of_a_function))
    assert "X-Amz-Security-Token=token" in (kept.url or "")
    assert "at the latest: it ends sooner with the keys that signed it" in kept.note


@pytest.mark.parametrize(("minutes", "ends"), [(50, 50), (5000, 12 * 60)])
def test_a_link_ends_with_the_keys_or_with_its_signature_whichever_is_first(minutes: int, ends: int) -> None:
    now = datetime.now(UTC)
    expiry = now + timedelta(minutes=minutes)
    keys = {"access_key": "ASIAEXAMPLE", "secret_key": "s", "token": "t", "expiry_time": expiry.isoformat()}
    session = boto3.Session(region_name="eu-west-1")
    session._session._credentials = RefreshableCredentials.create_from_metadata(keys, lambda: keys, "test")
    link = signed(session, BUCKET, "a.html", timedelta(hours=12), now)
    assert (link.until, link.certain) == (now + timedelta(minutes=ends), True)


def test_without_keys_the_notice_links_to_the_console(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.notices.stored.signed", lambda *_: (_ for _ in ()).throw(StoreFailed("no keys")))
    kept = keep(report, presigned(), Bucket())
    assert kept.url is not None and "/s3/object/" in kept.url
    assert kept.lost == "no keys"


def test_the_presigned_link_goes_into_no_log(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "chalicelib")
    keep(report, presigned(), Bucket())
    keep(report, presigned(), Bucket(".html"))
    assert "X-Amz-Signature" not in caplog.text


def test_another_kind_of_link_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(InvalidInput, match=r"AUDITOR_REPORT_LINKS: accepted are console .* and presigned .*"):
        settings(AUDITOR_REPORT_LINKS="public")
