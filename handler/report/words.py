"""What the report's page says, in English and in Chinese. A text in both languages is one pair.

`handler/report/advice.py` says what a person must do, `handler/report/reasons.py` what outcomes and reasons mean.
"""

# ruff: noqa: RUF001 (the punctuation of Chinese)

from typing import NamedTuple

from handler.certificates.renewable import Kind
from handler.report.data import Stage


class Words(NamedTuple):
    """One text in both languages, as plain text."""

    en: str
    zh: str

    def format(self, *values: object) -> "Words":
        """Return the text with values in the places of its `{}`."""
        return Words(self.en.format(*values), self.zh.format(*values))


TITLE = Words("Certificate renewals", "证书续费")
NO_DOMAIN = Words("(no domain yet)", "（尚未绑定域名）")
WRITTEN = Words("A snapshot, written", "快照，写于")
UNTIL = Words("The next run writes a new one.", "下次运行会写出新的报告。")
ACCOUNT = Words("Account", "账号")
DRY_RUN = Words("Dry run", "演练")
DRY_RUN_MEANS = Words("Nothing was bought and no message was sent.", "没有购买，也没有发送任何消息。")

ERRORS = Words("What went wrong in the last run", "上次运行中的错误")

TIMELINE = Words("What expires when", "到期时间")
TIMELINE_DESCRIBED = Words(
    "Certificates of every kind by the day on which they end, from today to {} days ahead; "
    "the table below has each of them. Renewal begins {} days before.",
    "按到期日统计的各类证书，从今天到 {} 天后；下表列出每张证书。提前 {} 天开始续费。",
)
TODAY = Words("today", "今天")
IN_DAYS = Words("{} days", "{} 天")
WINDOW = Words("renewed within {} days", "{} 天内续费")
PER_DAY = Words(
    "A column is a day, its height the number of certificates of every kind.", "每列为一天，高度为各类证书的总数。"
)
PER_WEEK = Words(
    "A column is a week, its height the number of certificates of every kind.", "每列为一周，高度为各类证书的总数。"
)
BAR = Words("{} days left: {:,}", "剩余 {} 天：{:,}")
BAR_ENDED = Words("ended: {:,}", "已到期：{:,}")
BAR_WEEK = Words("{} to {} days left: {:,}", "剩余 {} 至 {} 天：{:,}")
ENDED = Words("Ended", "已到期")
NOT_DRAWN = Words("Not drawn: {:,} that end later or tell no end.", "未画出：{:,} 张更晚到期或到期日未知的证书。")
NO_TIMELINE = Words("Nothing expires in the days ahead.", "近期没有证书到期。")

GROUPS: dict[str, Words] = {
    "n": Words("Needs you", "需要您处理"),
    "e": Words("Not renewed yet", "尚未续费"),
    "p": Words("On its way", "进行中"),
    "d": Words("Issued", "已签发"),
}
"""How far it is, in four colours."""

PIPELINE = Words("Where they stand", "进度")
OF_EVERY_KIND = Words("Certificates of every kind.", "包括各类证书。")
DEPLOYED_OF = Words("deployed {:,} of {:,}", "已部署 {:,} / {:,}")
ENDED_OF_THEM = Words("{:,} ended", "{:,} 已到期")
STAGES: dict[Stage, Words] = {
    Stage.EXPIRING: Words("Expiring", "即将到期"),
    Stage.RENEWED: Words("Renewed", "已续费"),
    Stage.APPLICATION: Words("Application", "待申请"),
    Stage.REVIEW: Words("In review", "审核中"),
    Stage.ISSUED: Words("Issued", "已签发"),
    Stage.DEPLOYED: Words("Deployed", "已部署"),
    Stage.HOSTED: Words("Hosted", "平台托管"),
    Stage.SETTLING: Words("Being settled", "核对中"),
    Stage.HELD: Words("Held", "挂起"),
    Stage.REVIEW_FAILED: Words("Review failed", "审核失败"),
}
"""The way to the next certificate first, then what can come between."""
WAY, BAD = 6, 8
"""How many of the stages are the way, and from which on a person is needed."""

CERTIFICATES = Words("Certificates", "证书")
SOONEST_FIRST = Words(
    "Soonest first. {} of {} shown; all are in report.json.", "最早到期在前。显示 {} / {}，全部见 report.json。"
)
NOTHING_TO_SHOW = Words("Nothing is in the window or on its way.", "没有即将到期或进行中的证书。")
KINDS: dict[Kind, Words] = {
    Kind.ORDER: Words("order", "订单"),
    Kind.INSTANCE: Words("instance", "实例"),
    Kind.CERTIFICATE: Words("certificate", "证书"),
}
"""What stands before an id."""
EVERY_KIND = Words("All", "全部")
FILTERS: dict[Kind, Words] = {
    Kind.ORDER: Words("Orders (V1)", "订单（V1）"),
    Kind.INSTANCE: Words("Instances (V2)", "实例（V2）"),
    Kind.CERTIFICATE: Words("Other certificates", "其他证书"),
}
"""What the table can be narrowed to."""
COLUMNS = (
    Words("Domain and id", "域名和 ID"),
    Words("Days left", "剩余天数"),
    Words("Ends", "到期日"),
    Words("Stage", "进度"),
    Words("Last run", "上次运行"),
    Words("Replaced by", "接替者"),
    Words("In use on", "用于"),
)
"""The last one only where anything is known to be in use."""
DAY_AGO = Words("{} day ago", "{} 天前")
DAYS_AGO = Words("{:,} days ago", "{:,} 天前")

LAST_RUN = Words("The last run", "上次运行")
TRIGGER = Words("Trigger", "触发方式")
TRIGGERS: dict[str, Words] = {
    "timer": Words("timer", "定时触发"),
    "cloudmonitor": Words("CloudMonitor", "云监控"),
    "manual": Words("manual", "手动调用"),
}
RUN_ENDED = Words("Ended", "结束时间")
REQUEST = Words("Request", "请求 ID")
REGION = Words("Region", "地域")
WINDOW_IS = Words("Window", "续费窗口")
NO_COUNTS = Words("It had nothing to do.", "没有需要处理的事项。")
