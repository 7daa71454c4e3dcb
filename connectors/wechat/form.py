"""What connecting an official account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

_SWITCH = (("", "否"), ("1", "是"))

FORM = AccountForm(
    "wechat",
    "微信公众号",
    "连接一个微信公众号。已认证的公众号才有答复、发布和群发的接口；请先在公众平台把本服务器的出口地址加入 IP 白名单。",
    (
        Field("app_key", "开发者 ID（AppID）", Place.option, "公众平台「设置与开发 › 基本配置」中的 AppID，以 wx 开头"),
        Field(
            "app_secret",
            "开发者密码（AppSecret）",
            Place.secret,
            "公众平台「设置与开发 › 基本配置」中的 AppSecret，重置后须在此重填",
        ),
        Field("external_id", "原始 ID", Place.external_id, "公众平台「设置与开发 › 账号设置」中的原始 ID，以 gh_ 开头"),
        Field("token", "令牌（Token）", Place.secret, "公众平台「服务器配置」中自定的令牌，用于核对推送"),
        Field(
            "aes_key",
            "消息加解密密钥（EncodingAESKey）",
            Place.secret,
            "公众平台「服务器配置」中的 43 位密钥；选「明文模式」可以不填",
            required=False,
        ),
        Field(
            "secure_only",
            "只收加密推送",
            Place.option,
            "公众平台选了「安全模式」的选「是」，此后未加密的推送一律拒收；其他模式选「否」",
            required=False,
            choices=_SWITCH,
        ),
        Field("author", "文章作者", Place.option, "文章标题下显示的作者，最多 16 字，可以不填", required=False),
        Field(
            "open_comment",
            "文章留言",
            Place.option,
            "已开通留言功能的选「是」：发布的文章打开留言，系统定时收取",
            required=False,
            choices=_SWITCH,
        ),
        Field(
            "receipt",
            "自动回执",
            Place.option,
            "收到来信时立即自动回复的一句话，例如「已收到您的来信，我们会尽快答复」；不填则不回",
            required=False,
        ),
        Field(
            "base_url",
            "平台地址",
            Place.base_url,
            "通常不填，即 https://api.weixin.qq.com；演练时填模拟平台的地址",
            required=False,
            schemes=WEB,
        ),
    ),
)
