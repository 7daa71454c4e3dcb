"""What connecting a sandbox account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

FORM = AccountForm(
    "sandbox",
    "沙箱平台",
    "沙箱平台只用于演示和演练，内容不会发到任何真实平台。",
    (
        Field(
            "base_url", "平台地址", Place.base_url, "沙箱平台启动时显示的地址，例如 http://127.0.0.1:18500", schemes=WEB
        ),
        Field("external_id", "账号编号", Place.external_id, "沙箱平台上该政务账号的编号（uid）"),
        Field("token", "访问令牌", Place.secret, "沙箱平台为该账号签发的令牌"),
        Field("app_secret", "应用密钥", Place.secret, "用于核对推送签名；不接收推送可以不填", required=False),
    ),
)
