"""The settings: each variable alone, all of them together, and what is said of a wrong one."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.certificates.rules import Rules
from handler.errors import SettingsError
from handler.runtime.settings import Settings, settings_from
from handler.runtime.variables import VARIABLES, OssPlace
from tests import examples
from tests.examples import PROPERTY

REQUIRED = {"SMQ_QUEUE": "renewed-certificates", "JOURNAL_URL": "oss://journal-bucket/renewals"}


def settings(**environ: str) -> Settings:
    return settings_from({**REQUIRED, **environ}, examples.context())


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as wrong:
        settings(**environ)
    return wrong.value.problems


def test_what_is_not_set_has_its_documented_default():
    assert settings() == Settings(
        cas_endpoint="https://cas.aliyuncs.com",
        smq_queue="renewed-certificates",
        alert_queue="renewed-certificates",
        smq_endpoint="https://123456789012.mns.cn-hangzhou.aliyuncs.com",
        journal=OssPlace("journal-bucket", "renewals"),
        oss_endpoint="https://oss-cn-hangzhou-internal.aliyuncs.com",
        rules=Rules(timedelta(days=30), frozenset({"WILLEXPIRED"}), ("*",), ()),
        max_renewals_per_run=10,
        max_renewals_per_day=50,
        settle=timedelta(minutes=15),
        stalled_within=timedelta(days=14),
        dry_run=False,
        expiry_events=("*expir*", "*cert*day*", "*ssl*day*", "*到期*", "*过期*"),
        watch=frozenset(Kind),
        deploy_to=(),
        probe=True,
        deploy_contact="",
    )


def test_the_endpoints_follow_the_region_and_the_account_of_the_function():
    elsewhere = settings_from(REQUIRED, examples.context(region="ap-southeast-1", account_id=123456789012))
    assert elsewhere.smq_endpoint == "https://123456789012.mns.ap-southeast-1.aliyuncs.com"
    assert elsewhere.oss_endpoint == "https://oss-ap-southeast-1-internal.aliyuncs.com"
    assert elsewhere.cas_endpoint == "https://cas.aliyuncs.com"


@pytest.mark.parametrize(
    "variable", [variable for variable in VARIABLES if variable.default is not None], ids=lambda v: v.name
)
def test_a_default_that_is_written_out_changes_nothing(variable):
    default = variable.default.replace("<region>", "cn-hangzhou").replace("<account>", "123456789012")
    assert settings(**{variable.name: default}) == settings()


@pytest.mark.parametrize(
    "name",
    [
        "CAS_ENDPOINT",
        "SMQ_ENDPOINT",
        "OSS_ENDPOINT",
        "RENEW_WITHIN_DAYS",
        "RENEW_STATUSES",
        "RENEW_DOMAINS_EXCEPT",
        "MAX_RENEWALS_PER_RUN",
        "MAX_RENEWALS_PER_DAY",
        "SETTLE_SECONDS",
        "STALLED_WITHIN_DAYS",
        "ALERT_QUEUE",
        "DRY_RUN",
        "EXPIRY_EVENTS",
        "WATCH",
        "INSTANCES",
        "DEPLOY_TO",
        "PROBE",
        "DEPLOY_CONTACT",
    ],
)
@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_as_good_as_none(name, empty):
    assert settings(**{name: empty}) == settings()


@pytest.mark.parametrize("empty", ["", "  ", ",", " , "])
def test_an_empty_list_of_domains_does_not_mean_every_domain(empty):
    assert problems(RENEW_DOMAINS=empty)[0].startswith("RENEW_DOMAINS is ")


@pytest.mark.parametrize("name", ["SMQ_QUEUE", "JOURNAL_URL"])
@pytest.mark.parametrize("empty", ["", " "])
def test_what_has_no_default_must_be_set(name, empty):
    assert [problem.split(";")[0] for problem in problems(**{name: empty})] == [f"{name} is not set"]


def test_every_field_has_a_variable_and_no_variable_is_without_its_field():
    fields = [variable.field for variable in VARIABLES]
    assert sorted(fields) == sorted({*Settings._fields, *Rules._fields} - {"rules"})


@pytest.mark.parametrize(
    ("field", "name", "text", "value"),
    [
        ("cas_endpoint", "CAS_ENDPOINT", "cas.ap-southeast-1.aliyuncs.com", "https://cas.ap-southeast-1.aliyuncs.com"),
        ("cas_endpoint", "CAS_ENDPOINT", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("deploy_to", "DEPLOY_TO", "cdn, ALB,Cdn", ("CDN", "ALB")),
        ("deploy_to", "DEPLOY_TO", "apigateway,WEBHOSTING", ("APIGateway", "webHosting")),
        ("deploy_to", "DEPLOY_TO", " * ", ("*",)),
        ("deploy_to", "DEPLOY_TO", " , ", ()),
        ("probe", "PROBE", "OFF", False),
        ("probe", "PROBE", "on", True),
        ("deploy_contact", "DEPLOY_CONTACT", "21001", "21001"),
        ("cas_endpoint", "CAS_ENDPOINT", "127.0.0.1:9000", "https://127.0.0.1:9000"),
        ("cas_endpoint", "CAS_ENDPOINT", " https://cas.aliyuncs.com/ ", "https://cas.aliyuncs.com"),
        ("smq_endpoint", "SMQ_ENDPOINT", "http://localhost:65535", "http://localhost:65535"),
        ("oss_endpoint", "OSS_ENDPOINT", "oss-cn-hangzhou.aliyuncs.com", "https://oss-cn-hangzhou.aliyuncs.com"),
        ("smq_queue", "SMQ_QUEUE", "a", "a"),
        ("smq_queue", "SMQ_QUEUE", "7-Certificates", "7-Certificates"),
        ("smq_queue", "SMQ_QUEUE", "q" * 120, "q" * 120),
        ("journal", "JOURNAL_URL", "oss://abc", OssPlace("abc", "")),
        ("journal", "JOURNAL_URL", "oss://journal-bucket/", OssPlace("journal-bucket", "")),
        ("journal", "JOURNAL_URL", "oss://journal-bucket/a/b/", OssPlace("journal-bucket", "a/b")),
        ("journal", "JOURNAL_URL", "file:///mnt/journal", Path("/mnt/journal")),
        ("journal", "JOURNAL_URL", "file:///mnt/a%20journal/", Path("/mnt/a journal")),
        ("max_renewals_per_run", "MAX_RENEWALS_PER_RUN", "0", 0),
        ("max_renewals_per_run", "MAX_RENEWALS_PER_RUN", "1000", 1000),
        ("max_renewals_per_day", "MAX_RENEWALS_PER_DAY", "0", 0),
        ("max_renewals_per_day", "MAX_RENEWALS_PER_DAY", "10000", 10_000),
        ("settle", "SETTLE_SECONDS", "1", timedelta(seconds=1)),
        ("settle", "SETTLE_SECONDS", "86400", timedelta(days=1)),
        ("dry_run", "DRY_RUN", "true", True),
        ("dry_run", "DRY_RUN", " TRUE ", True),
        ("dry_run", "DRY_RUN", "False", False),
        ("expiry_events", "EXPIRY_EVENTS", "slb:CloudMonitor:*, my rule", ("slb:CloudMonitor:*", "my rule")),
        ("watch", "WATCH", "orders", {Kind.ORDER}),
        ("watch", "WATCH", "instances", {Kind.ORDER, Kind.INSTANCE}),
        ("watch", "WATCH", " certificates , ", {Kind.ORDER, Kind.CERTIFICATE}),
        ("watch", "WATCH", "certificates,instances,certificates", set(Kind)),
    ],
)
def test_what_is_allowed_is_taken(field, name, text, value):
    assert getattr(settings(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("field", "name", "text", "value"),
    [
        ("within", "RENEW_WITHIN_DAYS", "1", timedelta(days=1)),
        ("within", "RENEW_WITHIN_DAYS", "365", timedelta(days=365)),
        ("statuses", "RENEW_STATUSES", "ISSUED", {"ISSUED"}),
        ("statuses", "RENEW_STATUSES", "WILLEXPIRED, ISSUED", {"WILLEXPIRED", "ISSUED"}),
        ("domains", "RENEW_DOMAINS", "*.example.com,example.com , ", ("*.example.com", "example.com")),
        ("domains", "RENEW_DOMAINS", "bücher.example.com", ("bücher.example.com",)),
        ("domains", "RENEW_DOMAINS", "नमस्ते.example.com", ("नमस्ते.example.com",)),
        ("domains_except", "RENEW_DOMAINS_EXCEPT", "pay.example.com", ("pay.example.com",)),
        ("domains_except", "RENEW_DOMAINS_EXCEPT", "", ()),
        ("may_apply", "INSTANCES", "watch", False),
        ("may_apply", "INSTANCES", " apply ", True),
    ],
)
def test_what_the_operator_allows_becomes_the_rules(field, name, text, value):
    assert getattr(settings(**{name: text}).rules, field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            (name, text)
            for name in ("CAS_ENDPOINT", "SMQ_ENDPOINT", "OSS_ENDPOINT")
            for text in (
                "ftp://example.com",
                "https://",
                "https://example.com/path",
                "example.com?x=1",
                "example.com#x",
                "https://example.com:65536",
                "https://example.com:0",
                "https://example.com:x",
                "https://[::1",
                "exa mple.com",
                "https://例.example.com",
                "https:example.com",
            )
        ),
        ("SMQ_QUEUE", "q" * 121),
        ("SMQ_QUEUE", "-queue"),
        ("SMQ_QUEUE", "a/queue"),
        ("SMQ_QUEUE", "a queue"),
        ("SMQ_QUEUE", "队列"),
        ("JOURNAL_URL", "journal-bucket"),
        ("JOURNAL_URL", "s3://journal-bucket/renewals"),
        ("JOURNAL_URL", "oss://ab"),
        ("JOURNAL_URL", "oss://Journal-Bucket"),
        ("JOURNAL_URL", "oss://-journal"),
        ("JOURNAL_URL", "oss://" + "b" * 64),
        ("JOURNAL_URL", "oss:///renewals"),
        ("JOURNAL_URL", "oss://journal-bucket/a/../b"),
        ("JOURNAL_URL", "oss://journal-bucket/renewals#x"),
        ("JOURNAL_URL", "file://host/journal"),
        ("JOURNAL_URL", "file:///"),
        ("JOURNAL_URL", "file:///mnt/../etc"),
        ("JOURNAL_URL", "/mnt/journal"),
        *(
            (name, text)
            for name in ("RENEW_WITHIN_DAYS", "MAX_RENEWALS_PER_RUN", "SETTLE_SECONDS")
            for text in ("-1", "1.5", "ten", "+1", "1e2", "１", "1_0", "100000", "9" * 5000)
        ),
        ("RENEW_WITHIN_DAYS", "0"),
        ("RENEW_WITHIN_DAYS", "366"),
        ("MAX_RENEWALS_PER_RUN", "1001"),
        ("SETTLE_SECONDS", "0"),
        ("SETTLE_SECONDS", "86401"),
        ("RENEW_STATUSES", "EXPIRED"),
        ("RENEW_STATUSES", "WILLEXPIRED,PAYED"),
        ("RENEW_STATUSES", "willexpired"),
        ("RENEW_STATUSES", ","),
        ("RENEW_DOMAINS", "https://example.com"),
        ("RENEW_DOMAINS", "*.example.com;*.example.com"),
        ("RENEW_DOMAINS", "a b.example.com"),
        ("RENEW_DOMAINS", "[a-z].example.com"),
        ("RENEW_DOMAINS_EXCEPT", "https://example.com"),
        ("RENEW_DOMAINS_EXCEPT", "!pay.example.com"),
        ("RENEW_DOMAINS_EXCEPT", ".example.com"),
        ("RENEW_DOMAINS_EXCEPT", "pay"),
        ("RENEW_DOMAINS_EXCEPT", "pay.example.com，shop.example.com"),
        ("RENEW_DOMAINS_EXCEPT", "pay\u200b.example.com"),
        ("DRY_RUN", "yes"),
        ("DRY_RUN", "1"),
        ("DRY_RUN", "0"),
        ("EXPIRY_EVENTS", ","),
        ("WATCH", ","),
        ("DEPLOY_TO", "CND"),
        ("DEPLOY_TO", "CDN ALB"),
        ("DEPLOY_TO", "CDN,*"),
        ("DEPLOY_TO", "all"),
        ("DEPLOY_TO", "ECS"),
        ("PROBE", "true"),
        ("PROBE", "0"),
        ("DEPLOY_CONTACT", "0"),
        ("DEPLOY_CONTACT", "somebody"),
        ("DEPLOY_CONTACT", "21001,21002"),
        ("WATCH", "order"),
        ("WATCH", "Orders"),
        ("WATCH", "orders instances"),
        ("WATCH", "orders,uploads"),
        ("WATCH", "*"),
        ("WATCH", "none"),
        ("INSTANCES", "Apply"),
        ("INSTANCES", "APPLY"),
        ("INSTANCES", "true"),
        ("INSTANCES", "on"),
        ("INSTANCES", "apply,watch"),
        ("INSTANCES", "cas_dv-cn-example01"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_name_its_value_and_what_is_allowed(name, text):
    allowed = next(variable.allowed for variable in VARIABLES if variable.name == name)
    assert problems(**{name: text}) == (f"{name} is {text[:200]!r}; it must be {allowed}",)


@pytest.mark.parametrize("watch", ["orders", "certificates", "orders,certificates"])
def test_who_lets_instances_be_applied_for_must_have_them_looked_at(watch):
    assert problems(INSTANCES="apply", WATCH=watch) == (
        "INSTANCES is 'apply', and WATCH leaves the instances out; add instances to it",
    )
    assert not settings(INSTANCES="watch", WATCH=watch).rules.may_apply
    assert settings(INSTANCES="apply", WATCH=f"{watch},instances").rules.may_apply


def test_of_two_variables_that_go_together_the_one_that_is_wrong_is_named_and_no_more():
    assert [said.split(";")[0] for said in problems(INSTANCES="apply", WATCH="order")] == ["WATCH is 'order'"]
    assert [said.split(";")[0] for said in problems(INSTANCES="yes", WATCH="orders")] == ["INSTANCES is 'yes'"]


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError) as wrong:
        settings_from({"JOURNAL_URL": "s3://b", "SETTLE_SECONDS": "0", "DRY_RUN": "maybe"}, examples.context())
    assert str(wrong.value) == (
        "SMQ_QUEUE is not set; it must be a queue name: letters, digits and hyphens, at most 120; "
        "JOURNAL_URL is 's3://b'; it must be oss://bucket/prefix or file:///folder; "
        "SETTLE_SECONDS is '0'; it must be a whole number from 1 to 86400; "
        "DRY_RUN is 'maybe'; it must be true or false"
    )


@pytest.mark.parametrize("name", ["CAS_ENDPOINT", "SMQ_ENDPOINT", "OSS_ENDPOINT", "JOURNAL_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@example.com",
        "https://user:s3cret@example.com/path",
        "https://user:s3/cret@example.com",
        "https://user:s3@cret@example.com",
        "oss://user:s3cret@journal-bucket/renewals",
        "user:s3cret@example.com",
        "user:s3cret@example.com\n",
        "s3cret@example.com",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_shown(name, url):
    (said,) = problems(**{name: url})
    assert said.startswith(f"{name} is ")
    assert "***@" in said
    assert "s3" not in said
    assert "cret" not in said


@pytest.mark.parametrize("name", ["CAS_ENDPOINT", "SMQ_ENDPOINT", "OSS_ENDPOINT", "JOURNAL_URL"])
@pytest.mark.parametrize(
    "url", ["oss://journal-bucket/renewals?Signature=s3cret", "https://example.com?x=1&y=s3cret@z?"]
)
def test_a_signature_in_a_url_is_refused_and_not_shown(name, url):
    (said,) = problems(**{name: url})
    assert said.startswith(f"{name} is ")
    assert "s3cret" not in said


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_whatever_a_variable_holds_it_is_taken_or_refused_by_name(variable):
    @PROPERTY
    @given(st.text() | st.text("ab:/.@,*-019?#%[]", max_size=30))
    def whatever(text):
        try:
            settings(**{variable.name: text})
        except SettingsError as wrong:
            (said,) = wrong.problems
            assert said.startswith(f"{variable.name} is ")

    whatever()
