"""What connecting a mailbox takes."""

from connectors.forms import AccountForm, Field, Place

FORM = AccountForm(
    "mailbox",
    "电子邮箱",
    "接收发到信箱的来信（IMAP），答复从同一个信箱发出（SMTP）。邮件留在信箱里，系统不删除。",
    (
        Field("external_id", "邮箱地址", Place.external_id, "例如 xinxiang@example.gov.cn，答复用这个地址发出。"),
        Field(
            "base_url", "收信服务器", Place.base_url,
            "imaps:// 加服务器名，例如 imaps://imap.example.gov.cn；端口不是 993 的，写在后面，如 :1993。",
            schemes=("imaps", "imap"),
        ),
        Field(
            "smtp", "发信服务器", Place.option,
            "smtps:// 加服务器名（端口 465），或 smtp://服务器名:587（先建立连接再加密）。",
            schemes=("smtps", "smtp"),
        ),
        Field("user", "登录名", Place.option, "一般就是邮箱地址，不填即用邮箱地址。", required=False),
        Field("password", "密码或授权码", Place.secret, "有的邮箱要在网页上开启 IMAP，并生成专用的授权码。"),
        Field("sender_name", "发件人名称", Place.option, "来信人看到的名称，例如 临江市领导信箱。", required=False),
        Field("folder", "读取的文件夹", Place.option, "不填即收件箱（INBOX）。", required=False),
        Field(
            "sent_folder", "已发送文件夹", Place.option,
            "答复会另存一份到这个文件夹，例如 Sent；不填则不另存（有的服务器自己会存）。", required=False,
        ),
        Field(
            "mark_seen", "收下后标为已读", Place.option, "选「否」则信箱里保持原样。", required=False,
            choices=(("", "否"), ("是", "是")),
        ),
        Field(
            "look_back", "首次读取的天数", Place.option, "第一次读取最近多少天的来信，不填为 30。", required=False,
            whole=(1, 9999),
        ),
    ),
)  # fmt: skip
