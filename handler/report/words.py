"""What the report's page says, in English and in Chinese. A text in both languages is one pair."""

# ruff: noqa: RUF001 (the punctuation of Chinese)

from typing import NamedTuple

from handler.report.data import Need, Stage


class Words(NamedTuple):
    """One text in both languages, as plain text."""

    en: str
    zh: str

    def format(self, *values: object) -> "Words":
        """Return the text with values in the places of its `{}`."""
        return Words(self.en.format(*values), self.zh.format(*values))


TITLE = Words("Certificate renewals", "证书续费")
WRITTEN = Words("A snapshot, written", "快照，写于")
UNTIL = Words("The next run writes a new one.", "下次运行会写出新的报告。")
ACCOUNT = Words("Account", "账号")
DRY_RUN = Words("Dry run", "演练")
DRY_RUN_MEANS = Words("Nothing was bought and no message was sent.", "没有购买，也没有发送任何消息。")

NEEDED = Words("Needs you now", "现在需要您处理")
NOTHING_NEEDED = Words("Nothing needs you.", "没有需要您处理的事项。")
AND_MORE = Words("and {:,} more: marked in the table below", "另有 {:,} 个：在下表中标出")
DAY_LEFT = Words("day left", "天剩余")
DAYS_LEFT = Words("days left", "天剩余")
HOURS_LEFT = Words("less than a day left", "不足一天")
EXPIRED = Words("expired", "已过期")
END_UNKNOWN = Words("end unknown", "到期日未知")
ENDS = Words("ends {}", "{} 到期")
ORDER = Words("order {}", "订单 {}")
NEW_ORDER_IS = Words("new order {}", "新订单 {}")
NO_DOMAIN = Words("(no domain yet)", "（尚未绑定域名）")
RESOLVE = Words("If {} is the new order, invoke the function with", "如果 {} 就是新订单，用此事件调用函数")
RESOLVE_OTHER = Words(
    "If it was bought, invoke with this, the new order in the place of NEW_ORDER_ID",
    "如果已经购买，用此事件调用函数，并把 NEW_ORDER_ID 换成新订单号",
)
RELEASE = Words("If nothing was bought", "如果没有购买")
NOT_SHOWN = Words("{:,} more possible orders are in report.json", "其余 {:,} 个可能的订单见 report.json")

NEEDS: dict[Need, tuple[Words, Words]] = {
    Need.SETTLE: (
        Words("Needs a decision: say what happened", "需要决定：请说明实际结果"),
        Words(
            "The answer of the purchase was lost. Look in the CAS console whether a new order was bought, "
            "then send the event that is true; until then the function leaves the order alone.",
            "购买请求的应答丢失。请在数字证书管理服务控制台查看是否已产生新订单，然后发送与事实相符的事件；在此之前函数不会再处理该订单。",
        ),
    ),
    Need.LOST: (
        Words("New order gone: find out why", "新订单不见了：请查明原因"),
        Words(
            "The new order is no longer in CAS: refunded or deleted? The function never renews an order twice, "
            "so buy a new certificate by hand.",
            "新订单已不在数字证书管理服务中：是否已退款或删除？函数不会对同一订单续费两次，请手动购买新证书。",
        ),
    ),
    Need.MEND: (
        Words("Review failed: correct the application", "审核失败：请修改申请"),
        Words(
            "Open the new order in the CAS console, see why its review failed, correct the application and submit it.",
            "请在数字证书管理服务控制台打开新订单，查看审核失败的原因，修改后重新提交申请。",
        ),
    ),
    Need.APPLY: (
        Words("Renewed: submit the application", "已续费：请提交申请"),
        Words(
            "The new order is paid and waits. Open it in the CAS console and submit its application; "
            "without that, no new certificate is issued.",
            "新订单已付款，正在等待。请在数字证书管理服务控制台打开新订单并提交申请，否则不会签发新证书。",
        ),
    ),
    Need.REFUSED: (
        Words("Refused by CAS: fix the cause", "续费被拒绝：请排除原因"),
        Words(
            "CAS refused the renewal and nothing was bought. Fix what the code beside the order names; "
            "a later run tries again by itself.",
            "数字证书管理服务拒绝了续费，没有购买。请按订单旁的错误码排除原因；之后的运行会自动重试。",
        ),
    ),
    Need.BY_HAND: (
        Words("Not for the function: renew by hand", "函数不能续费：请手动处理"),
        Words(
            "These certificates expire and the function may not renew them; the reason is beside each. "
            "Renew or replace them in the CAS console.",
            "这些证书即将过期，而函数不能为其续费，原因见各订单旁。请在数字证书管理服务控制台手动续费或更换。",
        ),
    ),
}
"""The headline of what a person must do, and how; the gravest first where two are equally urgent."""

ERRORS = Words("What went wrong in the last run", "上次运行中的错误")

TIMELINE = Words("What expires when", "到期时间")
TIMELINE_DESCRIBED = Words(
    "Orders by the day on which their old certificate expires, from today to {} days ahead; "
    "the table below has each of them. Renewal begins {} days before.",
    "按旧证书到期日统计的订单，从今天到 {} 天后；下表列出每个订单。提前 {} 天开始续费。",
)
TODAY = Words("today", "今天")
IN_DAYS = Words("{} days", "{} 天")
WINDOW = Words("renewed within {} days", "{} 天内续费")
PER_DAY = Words("A column is a day, its height the number of orders.", "每列为一天，高度为订单数。")
PER_WEEK = Words("A column is a week, its height the number of orders.", "每列为一周，高度为订单数。")
BAR = Words("{} days left: {:,} orders", "剩余 {} 天：{:,} 个订单")
BAR_EXPIRED = Words("expired: {:,} orders", "已过期：{:,} 个订单")
BAR_WEEK = Words("{} to {} days left: {:,} orders", "剩余 {} 至 {} 天：{:,} 个订单")
NOT_DRAWN = Words("Not drawn: {:,} that end later or tell no end.", "未画出：{:,} 个更晚到期或到期日未知的订单。")
NO_TIMELINE = Words("Nothing expires in the days ahead.", "近期没有证书到期。")

GROUPS: dict[str, Words] = {
    "n": Words("Needs you", "需要您处理"),
    "e": Words("Not renewed yet", "尚未续费"),
    "p": Words("On its way", "进行中"),
    "d": Words("Issued", "已签发"),
}
"""How far an order is, in four colours."""

PIPELINE = Words("Where the orders stand", "订单进度")
STAGES: dict[Stage, Words] = {
    Stage.EXPIRING: Words("Expiring", "即将过期"),
    Stage.RENEWED: Words("Renewed", "已续费"),
    Stage.APPLICATION: Words("Application", "待申请"),
    Stage.REVIEW: Words("In review", "审核中"),
    Stage.ISSUED: Words("Issued", "已签发"),
    Stage.SETTLING: Words("Being settled", "核对中"),
    Stage.HELD: Words("Held", "挂起"),
    Stage.REVIEW_FAILED: Words("Review failed", "审核失败"),
}
"""The way of an order first, then what can come between."""
WAY, BAD = 5, 6
"""How many of the stages are the way, and from which on a person is needed."""

ORDERS = Words("Orders", "订单")
SOONEST_FIRST = Words(
    "Soonest first. {} of {} shown; all are in report.json.", "最早到期在前。显示 {} / {}，全部见 report.json。"
)
NO_ORDERS = Words("No order is in the window or on its way.", "没有即将过期或进行中的订单。")
COLUMNS = (
    Words("Domain and order", "域名和订单"),
    Words("Days left", "剩余天数"),
    Words("Ends", "到期日"),
    Words("Stage", "进度"),
    Words("Last run", "上次运行"),
    Words("New order", "新订单"),
)

LAST_RUN = Words("The last run", "上次运行")
TRIGGER = Words("Trigger", "触发方式")
TRIGGERS: dict[str, Words] = {
    "timer": Words("timer", "定时触发"),
    "cloudmonitor": Words("CloudMonitor", "云监控"),
    "manual": Words("manual", "手动调用"),
}
ENDED = Words("Ended", "结束时间")
REQUEST = Words("Request", "请求 ID")
REGION = Words("Region", "地域")
WINDOW_IS = Words("Window", "续费窗口")
NO_COUNTS = Words("It had nothing to do.", "没有需要处理的订单。")

OUTCOMES: dict[str, Words] = {
    "renewed": Words("renewed", "已续费"),
    "already-renewed": Words("already renewed", "此前已续费"),
    "would-renew": Words("would renew", "将会续费"),
    "skipped": Words("skipped", "跳过"),
    "deferred": Words("deferred", "推迟"),
    "refused": Words("refused", "被拒绝"),
    "unknown": Words("unknown", "结果未知"),
    "held": Words("held", "挂起"),
}

REASONS: dict[str, Words] = {
    "free-certificate": Words("CAS renews no free certificates", "免费证书不能续费"),
    "multi-domain": Words("CAS renews no multi-domain certificates", "多域名证书不能续费"),
    "uploaded": Words("an uploaded certificate, bought elsewhere", "上传的证书，在别处购买"),
    "domain-unknown": Words("it shows no domain, or one that is no domain name", "没有显示域名，或显示的不是域名"),
    "domain-not-allowed": Words("the function's settings exclude the domain", "函数配置不包含该域名"),
    "expired": Words("an expired certificate can only be bought anew", "证书已过期，只能重新购买"),
    "several-candidates": Words("more than one order could be the new one", "有多个订单可能是新订单"),
    "shared-candidates": Words(
        "the possible new order could belong to another renewal", "可能的新订单也可能属于另一次续费"
    ),
    "answers-lost": Words("the answer was lost several times", "应答多次丢失"),
}
"""What a reason means, where a person has to know."""
