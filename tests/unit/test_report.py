"""The report: its data, its page, and the page in a real browser."""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.command import Release
from handler.outcomes import Outcome, Reason
from handler.report.advice import LIMITS, NEEDS, RECORD_FIELDS
from handler.report.data import Need, Report, Stage, kinds, stages, to_json
from handler.report.markup import safe
from handler.report.needs import MOST_ITEMS, MOST_RECORDS
from handler.report.page import page
from handler.report.reasons import OUTCOMES, REASONS
from handler.report.words import FILTERS, KINDS, STAGES
from handler.triggers.manual import asked_by_hand
from tests.examples import DAY, HOUR, NOW, PROPERTY, SECOND
from tests.unit import browser
from tests.unit.browser import DESKTOP, PHONE, Browser, Page
from tests.unit.palette import with_palette
from tests.unit.sample_report import about, instance, large_report, line, record, report, sample_report, upload

TWO_MEGABYTES = 2_000_000
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></title><script>alert(1)</script>",
    "</svg><svg onload=alert(1)>",
    "<!--",
    "]]>&lt;&#x3c;script>",
    "javascript:alert(1)//{}%s{0}",
    "\u202egro.elpmaxe.www\u202c.example.com",
    "证书.example.com",
    "a" * 253,
)
LONG_ID, LONG_INSTANCE = "9223372036854775807", "cas_dv-cn-20260605a01b2c3"
"""As long as an order's id can be, and longer than an instance's id that anybody has seen."""
FORESIGHT = "MAX_RENEWALS_PER_RUN must be at least 14: 3 will be missed, the first is 123451222"
HELD = line("123451222", "pay.example.com", 9, Stage.HELD, reason="answers-lost", need=Need.SETTLE)


class _Tree(HTMLParser):
    """What a parser finds in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def texts(html):
    return "\n".join(_Tree(html).text)


def codes(html):
    found = ("".join(_Tree(code).text) for code in re.findall("<code>(.*?)</code>", html))
    return [json.loads(text) for text in found if text.startswith("{")]


# ------------------------------------------------------------------------------------------------------------ the data


def test_the_json_has_all_of_an_order():
    held = about(HELD, ends=NOW + 9 * DAY + HOUR)._replace(candidates=("5", "6"), outcome="held")
    assert json.loads(to_json(report(held)))["orders"] == [
        {
            "kind": "order",
            "order_id": "123451222",
            "instance_id": None,
            "certificate_id": None,
            "domain": "pay.example.com",
            "product_code": "dv-single",
            "cert_end_time": "2026-11-30T04:00:00Z",
            "days_left": 9,
            "stage": "held",
            "need": "settle",
            "outcome": "held",
            "reason": "answers-lost",
            "new_order_id": None,
            "new_certificate_id": None,
            "candidates": ["5", "6"],
            "products": [],
            "deployment": None,
            "records": [],
        }
    ]


def test_the_json_has_all_of_an_instance_and_of_a_certificate():
    asked = instance("cas_dv-cn-1", "a.example.com", 3, Stage.REVIEW, products=("CDN", "ALB"), records=(record(),))
    hosted = instance("cas_dv-cn-2", "b.example.com", 4, Stage.ISSUED, successor_id="19000123")
    lines = json.loads(to_json(report(asked, hosted, upload("18000456", "c.example.com", 5))))["orders"]
    ids = [[one[key] for key in ("kind", "order_id", "instance_id", "certificate_id")] for one in lines]
    assert ids == [
        ["instance", None, "cas_dv-cn-1", None],
        ["instance", None, "cas_dv-cn-2", None],
        ["certificate", None, None, "18000456"],
    ]
    assert (lines[0]["products"], lines[0]["records"]) == (["CDN", "ALB"], [record()])
    assert (lines[1]["new_order_id"], lines[1]["new_certificate_id"]) == (None, "19000123")


def test_the_json_has_all_of_the_run():
    told = json.loads(to_json(report(HELD, errors=("no journal",), dry_run=True)))
    assert {key: value for key, value in told.items() if key not in {"orders", "stages"}} == {
        "written_at": "2026-11-21T03:00:00Z",
        "account_id": "123456789012",
        "region": "cn-hangzhou",
        "request_id": "8c1d4d3e-6a0f-4f0e-9a1b-2f6c5d7e8a90",
        "trigger": "timer",
        "dry_run": True,
        "window_days": 30,
        "counts": {"renewed": 1, "skipped": 2},
        "errors": ["no journal"],
        "foresight": None,
        "kinds": {"order": 1, "instance": 0, "certificate": 0},
        "needs_a_person": 1,
    }
    assert told["stages"] == {stage.value: int(stage is Stage.HELD) for stage in Stage}


def test_the_soonest_comes_first_and_the_unknown_last():
    orders = [line("1", "a", None), line("2", "b", 20), line("3", "c", -2), line("4", "d", 3)]
    assert [order["order_id"] for order in json.loads(to_json(report(*orders)))["orders"]] == ["3", "4", "2", "1"]


@pytest.mark.parametrize(
    ("ends_in", "days"),
    [(DAY, 1), (DAY - SECOND, 0), (timedelta(0), 0), (-SECOND, -1), (-DAY, -1), (-DAY - SECOND, -2)],
)
def test_days_left_are_whole_days_and_below_zero_once_expired(ends_in, days):
    assert about(HELD, ends=NOW + ends_in).days_left(NOW) == days


def test_the_json_is_ascii_whatever_a_domain_holds():
    orders = [line(str(n), domain + "\ud800", 1) for n, domain in enumerate(HOSTILE)]
    told = to_json(report(*orders))
    assert told.isascii()
    assert {order["domain"] for order in json.loads(told)["orders"]} == {domain + "\ud800" for domain in HOSTILE}


def test_every_stage_and_every_kind_is_counted_zeros_too():
    assert stages([HELD, HELD]) == {stage: 2 * (stage is Stage.HELD) for stage in Stage}
    assert kinds([HELD, HELD]) == {kind: 2 * (kind is Kind.ORDER) for kind in Kind}


def test_the_json_says_what_will_be_missed():
    assert json.loads(to_json(report(foresight=FORESIGHT)))["foresight"] == FORESIGHT


# ------------------------------------------------------------------------------------------------------------ the page


def test_whatever_can_be_said_has_words():
    assert set(STAGES) == set(Stage)
    assert set(NEEDS) == set(Need)
    assert set(KINDS) == set(FILTERS) == set(Kind)
    assert set(OUTCOMES) == set(Outcome)
    assert set(REASONS) == set(Reason)
    assert set(RECORD_FIELDS) == set(record())


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("reason", Reason)
def test_why_nobody_renews_it_is_said_in_both_languages(reason, kind):
    html = page(report(line("1", "www.example.com", 9, kind=kind, need=Need.BY_HAND, reason=reason)))
    assert safe(REASONS[reason].en) in html
    assert REASONS[reason].zh in html
    assert f"<code>{reason}</code>" in html


def test_an_error_code_stands_for_itself():
    assert "<code>InsufficientQuota</code>" in page(
        report(HELD._replace(need=Need.REFUSED, reason="InsufficientQuota"))
    )


@pytest.mark.parametrize("make", [report, sample_report, large_report])
def test_the_page_refers_to_nothing_outside(make):
    html = page(make())
    for forbidden in ("http://", "https://", "src=", "href", "url(", "@import", "<script", "<link", "<img", "<iframe"):
        assert forbidden not in html, forbidden
    assert "default-src 'none'; style-src 'unsafe-inline'" in html


@pytest.mark.parametrize("domain", HOSTILE)
@pytest.mark.parametrize("need", [None, *Need])
def test_a_hostile_domain_stays_text(domain, need):
    hostile = line("1", domain, 9, Stage.HELD, need=need)
    harmless = about(hostile, domain="www.example.com")
    html = page(report(hostile))
    assert _Tree(html).tags == _Tree(page(report(harmless))).tags
    assert safe(domain) in html
    assert domain.translate(dict.fromkeys(map(ord, BIDI))) in texts(html)
    assert not any(mark in html for mark in BIDI)


def test_everything_from_outside_is_escaped():
    bad = "\"'><b onclick=x>&amp;"
    order = line(bad, bad, 1, Stage.HELD, product=bad, outcome=bad, reason=bad, successor_id=bad)
    order = order._replace(
        candidates=(bad,), need=Need.SETTLE, products=(bad,), records=(dict.fromkeys(record(), bad),)
    )
    told = report(
        order,
        order._replace(candidates=(), need=Need.APPLY),
        instance(bad, bad, 1, reason=bad, successor_id=bad, need=Need.VALIDATE, products=(bad,)),
        upload(bad, bad, -1, need=Need.ENDED, products=(bad,)),
        account_id=bad,
        region=bad,
        request_id=bad,
        trigger=bad,
        counts={bad: 3},
        errors=(bad,),
        foresight=bad,
    )
    html = page(told)
    assert "onclick" not in dict(_Tree(html).attributes)
    assert "b onclick" not in _Tree(html).tags
    assert bad not in html
    assert html.count(safe(bad)) > 40


@PROPERTY
@given(st.text(st.characters(), max_size=60))
def test_any_text_comes_out_as_text_that_utf8_can_hold(text):
    tree = _Tree(f'<p title="{safe(text)}">{safe(text)}</p>')
    expected = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text.translate(dict.fromkeys(map(ord, BIDI))))
    expected = re.sub("[\ud800-\udfff]", "\ufffd", expected)
    assert tree.tags == ["p"]
    assert "".join(tree.text) == expected
    assert tree.attributes == [("title", expected)]
    safe(text).encode()


def test_a_held_order_comes_with_the_events_that_settle_it():
    html = page(report(HELD._replace(candidates=("98987582437920968", "98987582437920971"))))
    assert codes(html) == [
        {"resolve": {"order_id": "123451222", "new_order_id": "98987582437920968"}},
        {"resolve": {"order_id": "123451222", "new_order_id": "98987582437920971"}},
        {"release": {"order_id": "123451222"}},
    ]


def test_a_held_order_without_candidates_shows_where_the_new_order_goes():
    assert codes(page(report(HELD))) == [
        {"resolve": {"order_id": "123451222", "new_order_id": "NEW_ORDER_ID"}},
        {"release": {"order_id": "123451222"}},
    ]


@pytest.mark.parametrize("need", [need for need in Need if need not in {Need.SETTLE, Need.STUCK}])
def test_no_other_need_shows_an_event(need):
    assert codes(page(report(HELD._replace(need=need)))) == []


@pytest.mark.parametrize("need", Need)
def test_every_need_is_said_in_both_languages_above_everything_else(need):
    html = page(report(HELD._replace(need=need)))
    before_the_timeline = html[: html.index("What expires when")]
    for words in NEEDS[need]:
        assert words.en in before_the_timeline
        assert words.zh in before_the_timeline
    assert "pay.example.com" in before_the_timeline


def test_the_need_that_is_most_urgent_comes_first():
    html = page(report(HELD._replace(need=Need.APPLY), line("2", "b.example.com", 3, need=Need.BY_HAND)))
    assert html.index(NEEDS[Need.BY_HAND][0].en) < html.index(NEEDS[Need.APPLY][0].en)


def test_of_two_equally_urgent_needs_the_graver_comes_first():
    html = page(report(HELD._replace(need=Need.APPLY), HELD))
    assert html.index(NEEDS[Need.SETTLE][0].en) < html.index(NEEDS[Need.APPLY][0].en)


def test_what_has_ended_comes_first_of_all():
    gravest = HELD._replace(need=Need.SETTLE, renewable=HELD.renewable._replace(ends=NOW - 20 * DAY))
    html = page(report(gravest, upload("18000456", "old.example.com", -4, need=Need.ENDED), foresight=FORESIGHT))
    headlines = [NEEDS[Need.ENDED][0].en, LIMITS.en, NEEDS[Need.SETTLE][0].en]
    assert sorted(headlines, key=html.index) == headlines


@pytest.mark.parametrize(
    ("ended", "said", "said_in_chinese"),
    [
        (timedelta(0), "ended less than a day ago", "到期不足一天"),
        (DAY - SECOND, "ended less than a day ago", "到期不足一天"),
        (DAY, "1 day ago", "1 天前到期"),
        (29 * DAY + 23 * HOUR, "29 days ago", "29 天前到期"),
    ],
)
def test_of_what_has_ended_the_days_since_are_said(ended, said, said_in_chinese):
    gone = upload("18000456", "old.example.com", 0, need=Need.ENDED)
    html = page(report(about(gone, ends=NOW - ended)))
    left = html[html.index("<div class=left>") : html.index("<div class=domain>")]
    assert re.sub(" +", " ", " ".join(_Tree(left.partition("<span lang=zh-CN>")[0]).text)).strip() == said
    assert re.sub("<span lang=en>.*?</span>|<.*?>", " ", left).split() == said_in_chinese.split()
    assert "Ended" in html[html.index("<tbody>") :]


def test_what_has_ended_and_is_not_renewed_is_counted_by_itself():
    gone = [upload(str(n), "old.example.com", -n, need=Need.ENDED) for n in range(1, 4)]
    assert "3 ended" in page(report(*gone, HELD))
    assert "ended" not in _pipeline(page(report(HELD, about(HELD, ends=NOW - DAY))))


def _pipeline(html: str) -> str:
    return html[html.index("Where they stand") : html.index("<table>")]


def test_the_pipeline_and_the_timeline_count_every_kind_and_say_so():
    told = report(HELD, instance("cas_dv-cn-1", "a.example.com", 9), upload("18000456", "b.example.com", 9))
    html = page(told)
    assert "<b>2</b><span><span lang=en>Expiring" in html
    assert "9 days left: 3" in html
    assert "Certificates of every kind." in _pipeline(html)
    assert "its height the number of certificates of every kind" in html


@pytest.mark.parametrize("need", [None, Need.APPLY])
def test_what_will_be_missed_is_said_where_a_person_looks_first(need):
    html = page(report(HELD._replace(need=need), foresight=FORESIGHT))
    assert "Needs you now" in html
    assert "Nothing needs you." not in html
    assert html.index(LIMITS.zh) < html.index(FORESIGHT) < html.index("What expires when")
    assert LIMITS.en not in page(report(HELD._replace(need=need)))


@pytest.mark.parametrize("need", [Need.VALIDATE, Need.ENDED])
def test_records_come_ready_to_be_pasted_each_part_by_itself(need):
    records = (record(), record("portal.example.org", "another"))
    html = page(report(instance("cas_dv-cn-1", "portal.example.com", 9, need=need, records=records)))
    pasted = [value for one in records for value in one.values()]
    assert re.findall("<dd><code>(.*?)</code>", html[: html.index("What expires when")]) == pasted


def test_of_very_many_records_the_first_are_shown_and_the_others_counted():
    records = tuple(record(f"{n}.example.com") for n in range(MOST_RECORDS + 7))
    told = report(instance("cas_dv-cn-1", "portal.example.com", 9, need=Need.VALIDATE, records=records))
    assert page(told).count("_dnsauth.portal") == MOST_RECORDS
    assert "7 more records are in report.json" in page(told)
    assert json.loads(to_json(told))["orders"][0]["records"] == list(records)


def test_where_it_is_in_use_has_a_column_if_anything_is_known_to_be():
    used = instance("cas_dv-cn-1", "a.example.com", 9, products=("CDN", "ALB"), need=Need.BY_HAND)
    html = page(report(used, HELD))
    assert html.count("CDN, ALB") == 3  # once above in each language, once in the table
    assert html.count("In use on") == page(report(used)).count("In use on") == 2  # in the style sheet, in the heading
    assert page(report(HELD)).count("In use on") == 1


@pytest.mark.parametrize("need", [Need.SETTLE, Need.STUCK])
def test_an_instance_that_is_held_or_stuck_comes_with_the_one_event_that_lets_it_be_applied_for_again(need):
    stuck = instance("cas_dv-cn-1", "a.example.com", 9, Stage.HELD, need=need, candidates=("98987582437920968",))
    (event,) = codes(page(report(stuck)))
    assert event == {"release": {"instance_id": "cas_dv-cn-1"}}
    assert asked_by_hand(event, "event") == Release("cas_dv-cn-1", Kind.INSTANCE)


@pytest.mark.parametrize("need", [need for need in Need if need not in {Need.SETTLE, Need.STUCK}])
def test_an_instance_in_any_other_need_comes_with_no_event(need):
    assert codes(page(report(instance("cas_dv-cn-1", "a.example.com", 9, need=need)))) == []


def test_when_nothing_needs_a_person_the_page_says_so_in_one_line():
    html = page(report(line("1", "www.example.com", 9)))
    assert "Nothing needs you." in html
    assert "<article" not in html


def test_an_empty_report_is_a_page():
    html = page(report(counts={}))
    assert "Nothing is in the window" in html
    assert "It had nothing to do." in html
    assert "<table" not in html
    assert "<svg" not in html


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_dry_run_is_said_and_only_then(dry_run):
    assert ("Nothing was bought and no message was sent." in page(report(dry_run=dry_run))) == dry_run


def test_the_errors_of_the_run_stand_before_the_timeline():
    html = page(report(HELD, errors=("QueueNotExist", "AccessDenied")))
    assert html.index("QueueNotExist") < html.index("AccessDenied") < html.index("What expires when")


def test_the_rows_come_soonest_first():
    html = page(report(line("1", "late.example.com", 20), line("2", "soon.example.com", 3)))
    assert html.index("soon.example.com") < html.index("late.example.com")


@pytest.mark.parametrize("days", [None, -400, -1, 0, 1, 29, 30, 89, 90, 91, 400])
@pytest.mark.parametrize("window", [1, 30, 90, 91, 100, 101, 365])
def test_a_certificate_that_ends_at_any_time_has_a_page(days, window):
    html = page(report(line("1", "www.example.com", days), line("2", "b.example.com", 5), window_days=window))
    places = [float(place) for place in re.findall(r'x="([-\d.]+)%"', html)]
    assert all(0 <= place <= 100 for place in places)
    assert re.search(r"NaN|inf|None", html) is None


def test_each_order_in_sight_is_drawn_in_both_languages():
    assert len(re.findall("<rect class=[nepd] ", page(report(HELD, HELD._replace(need=None))))) == 2 * 2


# ------------------------------------------------------------------------------------------------------------ the size


def test_five_thousand_lines_of_every_kind_stay_below_two_megabytes():
    told = large_report(5000, *Kind)
    html = page(told)
    assert len(html.encode()) < TWO_MEGABYTES
    assert html.count("<th scope=row>") == 5000
    assert len(json.loads(to_json(told))["orders"]) == 5000


@pytest.mark.parametrize("character", ["a", '"', "证"])
@pytest.mark.parametrize("need", [None, *Need])
def test_names_of_any_kind_do_not_make_it_larger(character, need):
    held = HELD._replace(need=need, records=(record(value=character * 5000),) * 20, products=(character * 200,))
    told = report(*[about(held, id=str(n), domain=character * 253) for n in range(5000)], foresight=character * 5000)
    html = page(told)
    assert len(html.encode()) < TWO_MEGABYTES
    assert html.count("<th scope=row>") > 100
    assert f"Soonest first. {html.count('<th scope=row>'):,} of 5,000 shown; all are in report.json." in html


def test_what_a_group_has_no_room_for_is_counted():
    assert f"and {2000 - MOST_ITEMS:,} more" in page(report(*[about(HELD, id=str(n)) for n in range(2000)]))


# ------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = browser.find()
    if program is None:
        why = f"no browser: none of {', '.join(browser.NAMES)} is on PATH, and BROWSER_BIN names none"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    with browser.browser(program) as opened:
        yield opened


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path):
    pages: list[Page] = []

    def look(told: Report, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
        file = tmp_path / f"report-{len(pages)}.html"
        file.write_text(page(told), encoding="utf-8")
        pages.append(chromium.open(file.as_uri(), size, scheme))
        return pages[-1]

    yield look
    for one in pages:
        one.close()


def shown(looked: Page) -> str:
    """The text that a person sees."""
    text: str = looked.evaluate("document.body.innerText")
    return text


SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
REPORTS = pytest.mark.parametrize(
    "told",
    [
        sample_report(),
        report(counts={}),
        report(*[line(str(n), domain, n - 1, Stage.HELD, need=Need.SETTLE) for n, domain in enumerate(HOSTILE)]),
        sample_report()._replace(dry_run=True, errors=("x" * 3000,), request_id="y" * 200),
        large_report(300, *Kind),
    ],
    ids=["sample", "empty", "hostile", "loud", "large"],
)


@SIZES
@LANGUAGES
@REPORTS
def test_the_browser_has_nothing_to_complain_of_and_nothing_sticks_out(opened, told, size, language):
    looked = opened(told, size)
    looked.press(f"[for={language}]")
    assert looked.complaints() == []
    assert looked.dialogs() == []
    assert looked.evaluate("document.documentElement.scrollWidth") <= size[0]
    sticking_out = """[...document.querySelectorAll('main *, .languages *')]
        .filter(e => !e.closest('.hide, thead, title, desc') && getComputedStyle(e).display != 'none')
        .map(e => [e.getBoundingClientRect(), e.outerHTML.slice(0, 200)])
        .filter(([box]) => box.width && (box.left < 0 || box.right > innerWidth + .5))"""
    assert looked.evaluate(sticking_out) == []


@SIZES
@LANGUAGES
@pytest.mark.parametrize("need", Need)
def test_the_order_that_needs_a_person_is_visible_without_scrolling(opened, size, language, need):
    order = line("123451222", "a" * 241 + ".example.com", 9, Stage.HELD, reason="answers-lost", need=need)
    others = tuple(other._replace(need=None) for other in sample_report().lines)
    looked = opened(sample_report()._replace(lines=(*others, order), dry_run=True, errors=("x" * 200,) * 5), size)
    looked.press(f"[for={language}]")
    # What is measured is the text, not its box: a cell of the grid is as high as its row, whatever stands in it.
    text_box = """(element => {
        const range = document.createRange()
        range.selectNodeContents(element)
        const box = range.getBoundingClientRect()
        return [box.top, box.bottom, box.left, box.right]
        })"""
    for selector in (".need .domain", ".need .left", ".need .facts", f".need p[lang|={language}]"):
        top, bottom, left, right = looked.evaluate(f"{text_box}(document.querySelector('{selector}'))")
        assert 0 <= top < bottom <= size[1], selector
        assert 0 <= left < right <= size[0], selector
    assert looked.evaluate("scrollY") == 0


@pytest.mark.parametrize("domain", HOSTILE)
def test_in_a_browser_a_hostile_domain_stays_text(opened, domain):
    order = line("1", domain, 9, Stage.HELD, need=Need.SETTLE)
    elements = "[...document.querySelectorAll('*')].map(element => element.tagName)"
    expected_elements = opened(report(about(order, domain="www.example.com"))).evaluate(elements)
    looked = opened(report(order))
    assert looked.dialogs() == looked.complaints() == []
    expected = domain.translate(dict.fromkeys(map(ord, BIDI)))
    assert looked.evaluate("document.querySelector('.need .domain').textContent") == expected
    assert looked.evaluate("document.querySelector('th[scope=row]').firstChild.textContent") == expected
    assert looked.evaluate(elements) == expected_elements


def rows_shown(looked: Page) -> list[str]:
    """The classes of the rows that a person sees."""
    seen = "[...document.querySelectorAll('tbody tr')].filter(row => row.getClientRects().length)"
    classes: list[str] = looked.evaluate(f"{seen}.map(row => row.className)")
    return classes


@SIZES
@LANGUAGES
def test_the_table_can_be_narrowed_to_one_kind(opened, size, language):
    told = sample_report()
    looked = opened(told, size)
    looked.press(f"[for={language}]")
    everything = rows_shown(looked)
    assert len(everything) == len(told.lines)
    assert set(everything) == {"o", "i", "c"}
    for key, kind in (("o", Kind.ORDER), ("i", Kind.INSTANCE), ("c", Kind.CERTIFICATE)):
        looked.evaluate(f"document.querySelector('[for=kind-{key}]').scrollIntoView()")
        looked.press(f"[for=kind-{key}]")
        assert rows_shown(looked) == [key] * kinds(told.lines)[kind]
    looked.press("[for=kind-all]")
    assert rows_shown(looked) == everything


def test_a_browser_that_knows_no_styles_shows_every_kind(opened):
    looked = opened(sample_report())
    looked.evaluate("document.querySelector('style').remove(), document.querySelector('#kind-i').click()")
    assert len(rows_shown(looked)) == len(sample_report().lines)


def test_there_is_nothing_to_choose_where_there_is_one_kind():
    assert "id=kind-" not in page(report(HELD, about(HELD, id="2")))


@SIZES
def test_an_id_is_never_broken_in_its_middle(opened, size):
    orders = [line(LONG_ID, "a.example.com", 9, Stage.HELD, need=need, successor_id=LONG_ID) for need in Need]
    lines = [*orders, instance(LONG_INSTANCE, "b.example.com", 9, products=("CDN", "ALB", "WAF"), need=Need.BY_HAND)]
    looked = opened(report(*[one._replace(candidates=(LONG_ID,)) for one in lines]), size)
    broken = """[...document.querySelectorAll('bdi')].filter(id => id.getClientRects().length)
        .filter(id => id.scrollWidth > id.clientWidth || id.offsetHeight > 30).map(id => id.parentElement.outerHTML)"""
    assert looked.evaluate(broken) == []
    found = looked.evaluate("[...new Set([...document.querySelectorAll('bdi')].map(id => id.textContent))]")
    assert {LONG_ID, LONG_INSTANCE, f'"{LONG_ID}"'} <= set(found)


@SIZES
def test_an_id_that_has_no_room_is_moved_in_its_place_and_the_page_stays(opened, size):
    endless = instance("cas_dv-" + "cn-" * 100, "b.example.com", 9, need=Need.BY_HAND, successor_id="9" * 200)
    held = HELD._replace(candidates=("9" * 200,))
    looked = opened(report(endless, held), size)
    heights = "[...document.querySelectorAll('bdi')].map(id => id.offsetHeight).filter(height => height)"
    assert all(height < 30 for height in looked.evaluate(heights))
    assert looked.evaluate("document.documentElement.scrollWidth") <= size[0]


@SIZES
def test_the_switch_shows_one_language_at_a_time(opened, size):
    looked = opened(sample_report(), size)
    assert "Needs you now" in shown(looked)
    assert re.search("[\u4e00-\u9fff]", shown(looked).replace("中文", "")) is None
    looked.press("[for=zh]")
    chinese = shown(looked)
    assert "现在需要您处理" in chinese
    for english in ("Needs", "order", "days", "left", "Stage", "Written", "Last run"):
        assert english not in re.sub(r"\{.*\}", "", chinese), english
    looked.press("[for=en]")
    assert "Needs you now" in shown(looked)


def test_what_is_chinese_is_marked_as_chinese(opened):
    looked = opened(sample_report())
    unmarked = """[...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType == 3 && /[\\u4e00-\\u9fff]/.test(n.data)))
        .filter(e => e.closest('[lang]').getAttribute('lang') != 'zh-CN').map(e => e.outerHTML)"""
    assert looked.evaluate(unmarked) == []


def test_the_page_asks_for_nothing_not_even_where_it_came_from(chromium):
    html = page(sample_report()).encode()
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, format, *args):  # noqa: A002 (its name in the library)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/report.html"
            looked = chromium.open(url)
            looked.press("[for=zh]")
            assert looked.requests() == [url]
            looked.close()
        finally:
            server.shutdown()
    assert asked == ["/report.html"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SIZES
def test_every_text_stands_out_from_its_ground(opened, scheme, size):
    """At least 4.5 to 1, as WCAG 2 asks of small text."""
    looked = opened(sample_report()._replace(dry_run=True, errors=("no journal",)), size, scheme)
    faint = """(() => {
        const rgb = color => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number)
        const linear = value => (value /= 255) <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4
        const light = color => { const [r, g, b] = rgb(color).map(linear); return .2126 * r + .7152 * g + .0722 * b }
        const ground = element => { for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor, [, , , opacity = 1] = rgb(color)
            if (opacity) return color }
            return 'rgb(255, 255, 255)' }
        const faint = []
        for (const element of document.querySelectorAll('body *')) {
            const has_text = [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim())
            if (!has_text || element.closest('title, desc')) continue
            const style = getComputedStyle(element)
            const [a, b] = [light(element.closest('svg') ? style.fill : style.color), light(ground(element))]
            const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05)
            if (ratio < 4.5) faint.push([ratio, element.outerHTML.slice(0, 80)])
        }
        return faint })()"""
    assert looked.evaluate(faint) == []


@SIZES
def test_no_label_of_the_timeline_covers_another(opened, size):
    overlaps = """(() => {
        const labels = [...document.querySelectorAll('svg text')]
            .map(text => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width)
        const overlap = (r, q) => r.left < q.right && q.left < r.right && r.top + 3 < q.bottom && q.top + 3 < r.bottom
        return labels.flatMap(([a, r], i) => labels.slice(i + 1).filter(([, q]) => overlap(r, q)).map(([b]) => [a, b]))
        })()"""
    for farthest in (9, 34, 74, 89):
        for window in (14, 200):
            orders = (line("1", "a.example.com", -3), line("2", "b.example.com", farthest))
            looked = opened(report(*orders, window_days=window), size)
            for language in ("en", "zh"):
                looked.press(f"[for={language}]")
                assert looked.evaluate(overlaps) == [], (farthest, window, language)


def test_the_screenshot_of_the_documents_can_be_made_again(chromium, tmp_path):
    assert browser.main([str(tmp_path / "docs" / "report.png")]) == 0
    assert (tmp_path / "docs" / "report.png").read_bytes().startswith(b"\x89PNG")


def test_with_a_palette_the_picture_looks_the_same_and_is_smaller(chromium, opened):
    picture = opened(sample_report()).screenshot()
    smaller = with_palette(picture)
    assert len(smaller) < len(picture) * 0.6
    urls = json.dumps([f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (picture, smaller)])
    seen_to_differ = f"""Promise.all({urls}.map(async url => {{
        const image = new Image()
        image.src = url
        await image.decode()
        const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
        canvas.drawImage(image, 0, 0)
        return canvas.getImageData(0, 0, image.width, image.height).data
        }})).then(([a, b]) => a.length != b.length ? 1
        : a.filter((x, i) => Math.abs(x - b[i]) > 16).length / a.length)"""
    blank = chromium.open("data:text/html,<p>")
    assert blank.evaluate(seen_to_differ) < 0.001
    blank.close()
