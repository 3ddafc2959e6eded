"""What outcomes and reasons mean, in English and in Chinese."""

# ruff: noqa: RUF001 (the punctuation of Chinese)

from handler.outcomes import Outcome, Reason
from handler.report.words import Words

OUTCOMES: dict[str, Words] = {
    Outcome.RENEWED: Words("renewed", "已续费"),
    Outcome.ALREADY_RENEWED: Words("already renewed", "此前已续费"),
    Outcome.WOULD_RENEW: Words("would renew", "将会续费"),
    Outcome.APPLIED: Words("applied for", "已提交申请"),
    Outcome.WOULD_APPLY: Words("would apply", "将会申请"),
    Outcome.SKIPPED: Words("skipped", "跳过"),
    Outcome.DEFERRED: Words("deferred", "推迟"),
    Outcome.REFUSED: Words("refused", "被拒绝"),
    Outcome.UNKNOWN: Words("unknown", "结果未知"),
    Outcome.HELD: Words("held", "挂起"),
    Outcome.EXPIRING: Words("expiring", "无人续费"),
}

REASONS: dict[str, Words] = {
    # Why nobody renews it, or who does.
    Reason.ROW_UNREADABLE: Words("CAS shows something of it that makes no sense", "显示的内容不合理"),
    Reason.DOMAIN_UNKNOWN: Words("it shows no domain, or one that is no domain name", "没有显示域名，或显示的不是域名"),
    Reason.DOMAIN_NOT_ALLOWED: Words("the function's settings exclude the domain", "函数配置不包含该域名"),
    Reason.UPLOADED: Words("an uploaded certificate, bought elsewhere", "上传的证书，在别处购买"),
    Reason.FREE_CERTIFICATE: Words("CAS renews no free certificates", "免费证书不能续费"),
    Reason.MULTI_DOMAIN: Words("CAS renews no multi-domain certificates", "多域名证书不能续费"),
    Reason.HOSTED: Words("the platform renews it by itself", "由平台托管，自动续费"),
    Reason.EXPIRED: Words("an expired certificate can only be bought anew", "证书已过期，只能重新购买"),
    Reason.NOT_EXPIRING: Words("its status is none of those that are renewed", "其状态不在可续费的状态之内"),
    Reason.OUTSIDE_WINDOW: Words("too early to renew it", "尚未到续费时间"),
    Reason.SUPERSEDED: Words("a newer order stands in for it", "已有更新的订单接替"),
    Reason.COVERED: Words(
        "an instance's certificate has the same names, for longer", "已有实例的证书，域名相同且有效期更长"
    ),
    Reason.NOT_FOUND: Words("CAS shows nothing of that name", "查无此项"),
    Reason.RELEASED: Words("released by hand: it may be renewed again", "已人工释放，可再次续费"),
    Reason.TEST_INSTANCE: Words("a free instance gets no second certificate", "免费实例不会再签发证书"),
    Reason.NO_CERTIFICATE: Words("nobody has ever applied with it", "从未提交过申请"),
    Reason.REVOKED: Words("its newest certificate was revoked", "最新的证书已吊销"),
    Reason.CLOSED: Words("its subscription has expired, or was refunded or closed", "服务已过期、退款或关闭"),
    Reason.IN_REVIEW: Words("somebody has applied for the next certificate", "下一张证书已提交申请"),
    Reason.SUBSCRIPTION_ENDS: Words("its subscription ends, too: pay for more time", "服务也将到期，需要付费续期"),
    Reason.NOT_DV: Words("OV and EV certificates need persons to validate them", "OV、EV 证书需要人工验证"),
    Reason.UPGRADING: Words("an upgrade is paid for and not carried out", "升级已付款，尚未执行"),
    Reason.OWN_CSR: Words("its key is somebody's own: a new request is needed", "密钥自行保管，需要新的证书请求"),
    Reason.NEEDS_DATA: Words("it lacks a contact, a domain or a way to validate", "缺少联系人、域名或验证方式"),
    Reason.WATCHED: Words("nobody has applied for the next certificate yet", "还没有人申请下一张证书"),
    Reason.NAMES_CHANGED: Words("its instance's newer certificate is for other names", "其实例的新证书域名不同"),
    Reason.UNKNOWN_ORIGIN: Words("no order and no instance stands behind it", "背后没有订单，也没有实例"),
    # Why it is not deployed, or not yet.
    Reason.CERTIFICATE_NOT_FOUND: Words("the old or the new order shows no certificate", "旧订单或新订单没有证书"),
    Reason.SEVERAL_CERTIFICATES: Words("the old or the new order shows several", "旧订单或新订单有多张证书"),
    Reason.ENDS_NO_LATER: Words("the new certificate ends no later", "新证书到期并不更晚"),
    Reason.NO_CONTACT: Words("the account has no contact for a deployment job", "账号没有可用于部署任务的联系人"),
    Reason.DEPLOYING: Words("the deployment job is under way", "部署任务正在进行"),
    Reason.NO_JOB_ID: Words("the deployment job was accepted, and none named", "部署任务已接受，但没有给出任务"),
    Reason.FOREIGN_JOB: Words("somebody else's deployment job has the name of ours", "别人的部署任务占用了名字"),
    Reason.RESOURCE_REBOUND: Words("a resource has another certificate by now", "有资源已改绑其他证书"),
    Reason.JOB_GONE: Words("the deployment job is gone", "部署任务不见了"),
    Reason.JOB_STOPPED: Words("somebody has stopped the deployment job", "部署任务被人停下了"),
    Reason.JOB_TOO_SLOW: Words("the deployment job has not ended within a day", "部署任务一天之内没有结束"),
    Reason.RESOURCES_LEFT: Words("some resources have not got the new certificate", "有资源没有得到新证书"),
    Reason.STILL_BOUND: Words("the old certificate is still in use", "旧证书仍在使用"),
    Reason.OLD_ONE_SERVED: Words("a domain still serves the old certificate", "仍有域名提供旧证书"),
    # What is in the way of an application.
    Reason.NEEDS_RECORDS: Words("the authority waits for records in the DNS", "证书机构正在等待 DNS 验证记录"),
    Reason.SUBMISSION_FAILED: Words("CAS says that the application was not submitted", "申请提交失败"),
    Reason.AUTHORITY_SAYS: Words("the authority has something to say of it", "证书机构有反馈"),
    Reason.REVIEW_TOO_LONG: Words("in review for more than a day", "审核超过一天"),
    Reason.NOT_ISSUED: Words("no longer in review, and nothing was issued", "已不在审核中，也没有签发证书"),
    # Why not yet.
    Reason.RUN_LIMIT: Words("over the limit of renewals per run", "超过单次运行的续费上限"),
    Reason.DAY_LIMIT: Words("over the limit of renewals per day", "超过每日续费上限"),
    Reason.RUN_STOPPED: Words("the run was stopped before its turn", "轮到它之前运行已中止"),
    Reason.LIST_TOO_SLOW: Words("reading the list took too long", "读取列表耗时过长"),
    Reason.LIST_INCOMPLETE: Words("the list lacks what must be there", "列表缺少应有的内容"),
    Reason.NO_TIME_LEFT: Words("no time was left in the run", "运行剩余时间不足"),
    Reason.IN_PROGRESS: Words("another run is at it", "另一次运行正在处理"),
    Reason.SETTLING: Words("a lost answer is being settled", "正在核对丢失的应答"),
    Reason.NOTHING_BOUGHT: Words("nothing was bought: a later run goes on", "没有购买，以后的运行会继续"),
    Reason.NOT_PUBLISHED: Words("a message waits to be sent", "有消息等待发送"),
    Reason.JOURNAL_UNAVAILABLE: Words("the journal cannot be read or written", "日志簿无法读写"),
    # What went wrong.
    Reason.NO_CONNECTION: Words("CAS could not be reached", "无法连接"),
    Reason.NO_ANSWER: Words("the connection broke off", "连接中断"),
    Reason.MESSAGE_TOO_LARGE: Words("the message is too large for the queue", "消息超过队列的大小上限"),
    Reason.NO_CODE: Words("an error without a code", "错误没有错误码"),
    Reason.NO_ORDER_ID: Words("the renewal was accepted, and no new order named", "续费已接受，但没有给出新订单"),
    Reason.ANSWER_NAMES_OLD_ORDER: Words("the answer names the old order as the new one", "应答把旧订单当作新订单"),
    # Why a person must decide.
    Reason.JOURNAL_UNREADABLE: Words("its journal holds what nobody understands", "其日志簿中有无法理解的内容"),
    Reason.JOURNAL_NOT_APPENDABLE: Words("nothing can be added to its journal", "其日志簿无法追加"),
    Reason.SEVERAL_CANDIDATES: Words("more than one order could be the new one", "有多个订单可能是新订单"),
    Reason.SHARED_CANDIDATES: Words(
        "the possible new order could belong to another renewal", "可能的新订单也可能属于另一次续费"
    ),
    Reason.UNEXPLAINED_ORDERS: Words("there are new orders that nobody explains", "有来历不明的新订单"),
    Reason.PICTURE_LOST: Words("the note of what existed before is gone", "购买前的记录不见了"),
    Reason.CLAIM_FROM_THE_FUTURE: Words("a clock was far wrong when it was claimed", "认领时的时钟严重偏差"),
    Reason.ANSWERS_LOST: Words("the answer was lost several times", "应答多次丢失"),
}
"""What each reason means, for a person; an error code of the service stands for itself."""
