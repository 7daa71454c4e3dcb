"""What connecting a Mastodon account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

FORM = AccountForm(
    "mastodon",
    "Mastodon",
    "连接 Mastodon 或与其兼容的服务器上的一个账号。",
    (
        Field(
            "base_url", "服务器地址", Place.base_url, "以 https:// 开头，例如 https://social.example.gov.cn",
            schemes=WEB,
        ),
        Field(
            "app_key", "应用编号", Place.option,
            "一般不填：点「去授权」时系统自己登记应用。服务器不让登记的，在它的「设置 › 开发」中新建应用得到",
            required=False,
        ),
        Field("app_secret", "应用密钥", Place.secret, "同一页的密钥；没有填应用编号的不用填", required=False),
        Field(
            "token", "访问令牌", Place.secret, "点「去授权」自动得到；也可以从同一页复制，需要 read 和 write 权限",
            by_page=True,
        ),
        Field("external_id", "账号编号", Place.external_id, "可以不填，核对令牌时自动得到", required=False),
        Field(
            "visibility",
            "发布范围",
            Place.option,
            "public（公开，默认）、unlisted（不列入公共时间线）或 private（仅关注者）",
            required=False,
        ),
    ),
    authorised_by_page=True,
    registers=True,
)  # fmt: skip
