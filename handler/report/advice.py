"""What needs a person, and what to do about it: the words of the report's first section, in English and in Chinese."""

# ruff: noqa: RUF001 (the punctuation of Chinese)

from handler.report.data import Need
from handler.report.words import Words

NEEDED = Words("Needs you now", "现在需要您处理")
NOTHING_NEEDED = Words("Nothing needs you.", "没有需要您处理的事项。")
AND_MORE = Words("and {:,} more: marked in the table below", "另有 {:,} 个：在下表中标出")
DAY_LEFT = Words("day left", "天剩余")
DAYS_LEFT = Words("days left", "天剩余")
HOURS_LEFT = Words("less than a day left", "不足一天")
DAY_AGO = Words("day ago", "天前到期")
DAYS_AGO = Words("days ago", "天前到期")
HOURS_AGO = Words("ended less than a day ago", "到期不足一天")
END_UNKNOWN = Words("end unknown", "到期日未知")
ENDS = Words("ends {}", "{} 到期")
ENDED_ON = Words("ended {}", "{} 已到期")
IN_USE = Words("in use on", "用于")
STILL_BOUND_TO = Words("old certificate still on", "旧证书仍绑定在")
NEW_ORDER = Words("new order", "新订单")
NEW_CERTIFICATE = Words("new certificate", "新证书")
RESOLVE = Words("If {} is the new order, invoke the function with", "如果 {} 就是新订单，用此事件调用函数")
RESOLVE_OTHER = Words(
    "If it was bought, invoke with this, the new order in the place of NEW_ORDER_ID",
    "如果已经购买，用此事件调用函数，并把 NEW_ORDER_ID 换成新订单号",
)
RELEASE = Words("If nothing was bought", "如果没有购买")
RELEASE_INSTANCE = Words(
    "If no application is in review, let it be applied for again", "如果没有审核中的申请，可让函数再次申请"
)
NOT_SHOWN = Words("{:,} more possible orders are in report.json", "其余 {:,} 个可能的订单见 report.json")
RECORD_FIELDS: dict[str, Words] = {
    "Domain": Words("For", "验证域名"),
    "Zone": Words("In the zone", "解析区域"),
    "Host": Words("Host", "主机记录"),
    "Type": Words("Type", "类型"),
    "Value": Words("Value", "记录值"),
}
RECORDS_NOT_SHOWN = Words("{:,} more records are in report.json", "其余 {:,} 条记录见 report.json")

LIMITS = Words("The limits are too low: raise one", "限额不够：请调高")
LIMITS_MEAN = Words(
    "At the pace of the runs, not all that is due will be renewed before it ends.",
    "按目前的运行节奏，有证书在到期之前轮不到续费。",
)

NEEDS: dict[Need, tuple[Words, Words]] = {
    Need.ENDED: (
        Words("Ended: replace it now", "已到期：请立即更换"),
        Words(
            "It has ended and nothing has replaced it: whoever still serves it shows visitors a warning. "
            "Get a new certificate and install it. It stays here for 30 days.",
            "证书已到期且没有接替：仍在使用它的网站会向访问者显示警告。请取得新证书并安装。此条保留 30 天。",
        ),
    ),
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
    Need.VALIDATE: (
        Words("In review: add the records", "审核中：请添加验证记录"),
        Words(
            "The authority waits for proof that the domain is yours. Add these records to the DNS of the domain, "
            "and leave them there until the certificate is issued.",
            "证书机构正在等待域名归属的证明。请在域名的 DNS 处添加这些记录，并保留到证书签发为止。",
        ),
    ),
    Need.STUCK: (
        Words("Applied for, and stuck: see what the authority says", "申请受阻：请查看证书机构的反馈"),
        Words(
            "Open the instance in the CAS console, see why its certificate is not issued, correct it and apply there. "
            "The function applies once for each certificate; so that it applies again, send the event.",
            "请在数字证书管理服务控制台打开该实例，查看未签发的原因，修改后在那里提交申请。函数对每张证书只申请一次；要让函数再次申请，请发送此事件。",
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
    Need.STILL_BOUND: (
        Words("Issued, and the old one is still in use: install the new one", "已签发但旧证书仍在使用：请安装新证书"),
        Words(
            "The old certificate ends soon and is still bound where it says. Deploy the new one there, in the CAS "
            "console or in the product; with DEPLOY_TO the function does.",
            "旧证书即将到期，仍绑定在所列位置。请在控制台或相应产品中换上新证书；设置 DEPLOY_TO 后由函数完成。",
        ),
    ),
    Need.BY_HAND: (
        Words("Nobody renews these: replace them by hand", "没有人续费：请手动处理"),
        Words(
            "They end soon and nothing will replace them; the reason is beside each. "
            "Renew or replace them in the CAS console, or where they were bought.",
            "这些证书即将到期，没有任何接替，原因见各项旁。请在数字证书管理服务控制台或原购买处续费或更换。",
        ),
    ),
}
"""The headline of what a person must do, and how; the gravest first where two are equally urgent."""
