"""Reports to look at: a realistic one, and one as large as one likes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from handler.certificates.renewable import Kind, Renewable
from handler.report.data import Need, Report, ReportLine, Stage
from tests.examples import ACCOUNT, DAY, HOUR, NOW


def report(*lines: ReportLine, **changes: Any) -> Report:
    """A report of these lines; everything else has a default."""
    values: dict[str, Any] = {
        "written_at": NOW,
        "account_id": ACCOUNT,
        "region": "cn-hangzhou",
        "request_id": "8c1d4d3e-6a0f-4f0e-9a1b-2f6c5d7e8a90",
        "trigger": "timer",
        "dry_run": False,
        "window_days": 30,
        "counts": {"renewed": 1, "skipped": 2},
        "errors": (),
        "lines": lines,
    }
    return Report(**values | changes)


def line(
    id_: str,
    domain: str,
    days: float | None,
    stage: Stage = Stage.EXPIRING,
    *,
    kind: Kind = Kind.ORDER,
    product: str = "dv-single",
    **more: Any,
) -> ReportLine:
    """An order whose certificate ends in that many days."""
    end = None if days is None else NOW + timedelta(days=days) + 11 * HOUR
    return ReportLine(Renewable(kind, id_, domain, product, ends=end), stage, **more)


def instance(id_: str, domain: str, days: float | None, stage: Stage = Stage.EXPIRING, **more: Any) -> ReportLine:
    """A V2 instance whose newest certificate ends in that many days."""
    return line(
        id_, domain, days, stage, **{"kind": Kind.INSTANCE, "product": "single-dv", "outcome": "skipped"} | more
    )


def upload(id_: str, domain: str, days: float | None, **more: Any) -> ReportLine:
    """An uploaded certificate that nobody renews and that ends in that many days."""
    expiring = {"outcome": "expiring", "reason": "uploaded"}
    return line(id_, domain, days, **{"kind": Kind.CERTIFICATE, "product": ""} | expiring | more)


def record(
    domain: str = "portal.example.com", value: str = "202611210300000123456789abcdefghijklmnopqrstuv"
) -> dict[str, str]:
    """What an authority asks for, so that it believes that a domain is the applicant's."""
    return {"Domain": domain, "Zone": "example.com", "Host": "_dnsauth.portal", "Type": "TXT", "Value": value}


def about(other: ReportLine, **changed: Any) -> ReportLine:
    """The same line about something else: `changed` are fields of what expires."""
    return other._replace(renewable=other.renewable._replace(**changed))


def sample_report() -> Report:
    """A morning in an account of V1 orders, V2 instances and uploads, which ended or end within a month."""
    lines = [*_orders(), *_instances(), *_uploads()]
    counts = {"renewed": 2, "already-renewed": 13, "skipped": 7, "deferred": 1, "held": 1, "expiring": 4}
    return report(*lines, counts=counts)


def _orders() -> list[ReportLine]:
    return [
        line(
            "123451222",
            "pay.example.com",
            9,
            Stage.HELD,
            outcome="held",
            reason="several-candidates",
            candidates=("98987582437920968", "98987582437920971"),
            need=Need.SETTLE,
        ),
        line(
            "123451240",
            "login.example.com",
            6,
            Stage.APPLICATION,
            outcome="already-renewed",
            successor_id="98987582437920902",
            product="ov-single",
            need=Need.APPLY,
        ),
        line(
            "123451263",
            "*.shop.example.com",
            12,
            Stage.APPLICATION,
            outcome="already-renewed",
            successor_id="98987582437920913",
            product="dv-wildcard",
            need=Need.APPLY,
        ),
        line(
            "123451271",
            "mail.example.com,imap.example.com",
            17,
            outcome="skipped",
            reason="multi-domain",
            product="dv-multi",
            need=Need.BY_HAND,
        ),
        line(
            "123451280", "img.example.com", 3, Stage.ISSUED, outcome="already-renewed", successor_id="98987582437920855"
        ),
        line(
            "123451281", "api.example.com", 5, Stage.REVIEW, outcome="already-renewed", successor_id="98987582437920861"
        ),
        line(
            "123451302",
            "status.example.com",
            8,
            Stage.ISSUED,
            outcome="already-renewed",
            successor_id="98987582437920866",
        ),
        line(
            "123451303",
            "static.example.com",
            12,
            Stage.ISSUED,
            outcome="already-renewed",
            successor_id="98987582437920870",
        ),
        line(
            "123451317",
            "docs.example.com",
            12,
            Stage.REVIEW,
            outcome="already-renewed",
            successor_id="98987582437920874",
        ),
        line(
            "123451318",
            "blog.example.com",
            14,
            Stage.ISSUED,
            outcome="already-renewed",
            successor_id="98987582437920877",
        ),
        line(
            "123451329",
            "forum.example.com",
            17,
            Stage.ISSUED,
            outcome="already-renewed",
            successor_id="98987582437920880",
        ),
        line(
            "123451330",
            "search.example.com",
            17,
            Stage.REVIEW,
            outcome="already-renewed",
            successor_id="98987582437920884",
        ),
        line(
            "123451341",
            "news.example.com",
            21,
            Stage.REVIEW,
            outcome="already-renewed",
            successor_id="98987582437920889",
        ),
        line(
            "123451342",
            "media.example.com",
            24,
            Stage.REVIEW,
            outcome="already-renewed",
            successor_id="98987582437920893",
        ),
        line(
            "123451356",
            "assets.example.com",
            24,
            Stage.ISSUED,
            outcome="already-renewed",
            successor_id="98987582437920897",
        ),
        line("123451357", "video.example.com", 27, Stage.SETTLING, outcome="deferred", reason="settling"),
        line("123451363", "www.example.com", 29, Stage.RENEWED, outcome="renewed", successor_id="98987582437920990"),
        line("123451364", "m.example.com", 29, Stage.RENEWED, outcome="renewed", successor_id="98987582437920991"),
        line("123451370", "cdn.example.com", 29, outcome="skipped", reason="hosted", product="dv-wildcard"),
    ]


def _instances() -> list[ReportLine]:
    return [
        instance(
            "cas_dv-cn-20260605a01",
            "portal.example.com",
            11,
            Stage.REVIEW,
            reason="in-review",
            need=Need.VALIDATE,
            products=("ALB",),
            records=(record(),),
        ),
        instance(
            "cas_dv-cn-20260605a02",
            "*.cdn.example.com",
            19,
            Stage.HOSTED,
            reason="hosted",
            products=("CDN", "DCDN", "OSS"),
        ),
        instance(
            "cas_dv-cn-20260605a03",
            "app.example.com",
            26,
            Stage.ISSUED,
            reason="hosted",
            successor_id="19000123",
            products=("CDN",),
        ),
        instance(
            "cas_dv-cn-20260605a04",
            "partner.example.com",
            13,
            outcome="expiring",
            reason="subscription-ends",
            need=Need.BY_HAND,
            products=("SLB",),
        ),
        instance("cas-cn-20260901t07", "try.example.com", 22, reason="test-instance", product="test-dv"),
        instance(
            "cas_ov-cn-20260605a05",
            "bank.example.com",
            25,
            reason="not-dv",
            product="single-ov",
            products=("WAF", "ALB"),
        ),
    ]


def _uploads() -> list[ReportLine]:
    return [
        upload("18000456", "old.example.com", -4, need=Need.ENDED, products=("SLB",)),
        upload("18000512", "vpn.example.com,gate.example.com", 2, need=Need.BY_HAND),
        upload("18000777", "files.example.com", 6, need=Need.BY_HAND, products=("OSS",)),
    ]


def large_report(number: int = 2000, *kinds: Kind) -> Report:
    """A report of that many lines, of orders unless told otherwise, in every stage, in and beyond the window."""
    stages = [(stage, None) for stage in Stage] + [(Stage.HELD, Need.SETTLE), (Stage.APPLICATION, Need.APPLY)]
    of_kinds = kinds or (Kind.ORDER,)
    ids = {Kind.ORDER: "{}", Kind.INSTANCE: "cas_dv-cn-{}x", Kind.CERTIFICATE: "{}"}
    lines = []
    for n in range(number):
        stage, need = stages[n * 7 % len(stages)]
        kind = of_kinds[n % len(of_kinds)]
        lines.append(
            line(
                ids[kind].format(123450000 + n),
                f"service-{n:04}.region-{n % 17}.example.com",
                n // 10 * 37 % 122 - 2,
                stage,
                kind=kind,
                outcome="already-renewed",
                reason="in-progress" if n % 3 == 0 else None,
                successor_id=str(98987582437920968 + n) if n % 2 else None,
                candidates=("98987582437920968", "98987582437920971") if need is Need.SETTLE else (),
                need=need,
                products=("CDN", "ALB")[: n % 3] if kind is not Kind.ORDER else (),
            )
        )
    return report(*lines, counts={"already-renewed": number, "unknown": 1}, window_days=30, written_at=NOW + DAY)
