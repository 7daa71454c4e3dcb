"""What connecting a Weibo account takes."""

from connectors.forms import WEB, AccountForm, Field, Place
from connectors.weibo.settings import HOSTS

_GRANTED = (("", "未开通"), ("yes", "已开通"))
_TOKEN = "通常不用填：点「去授权」登录微博后自动得到"  # noqa: S105  a hint

FORM = AccountForm(
    "weibo",
    "微博",
    "连接一个新浪微博账号。先在微博开放平台建好应用，填好下面几项，再点「去授权」，用这个账号登录微博同意即可。",
    (
        Field("app_key", "应用编号（App Key）", Place.option, "微博开放平台「我的应用 › 应用信息」中的 App Key"),
        Field("app_secret", "应用密钥（App Secret）", Place.secret, "同一页的 App Secret；授权和核对推送都要用"),
        Field("token", "访问令牌", Place.secret, _TOKEN, by_page=True),
        Field("external_id", "账号编号", Place.external_id, "账号的 UID；可以不填，授权后自动得到", required=False),
        Field(
            "domains", "安全域名", Place.option,
            "应用登记的安全域名，例如 www.example.gov.cn；普通微博必须带这个域名下的链接，多个用逗号分开",
            required=False,
        ),
        Field(
            "rip", "服务器公网 IP", Place.option,
            "微博要求发布时报操作者的 IP：填本服务器的公网出口地址；不填，微博可能拒绝发布", required=False,
        ),
        Field(
            "fan_token", "粉丝服务平台令牌", Place.secret,
            "蓝V账号在微博「粉丝服务平台 › 开发者模式」中得到；收发私信要用", required=False,
        ),
        Field(
            "receipt", "私信自动回执", Place.option,
            "收到私信时立即回复的一句话，例如“已收到，工作人员会尽快答复”；不填则不自动回复", required=False,
        ),
        Field(
            "article", "头条文章", Place.option,
            "头条文章接口只向政务、媒体、机构账号开放，由平台开通", required=False,
            choices=_GRANTED,
        ),
        Field(
            "cover_url", "头条文章封面", Place.option,
            "头条文章默认封面图片的网址，以 https:// 开头；开通头条文章的必填", required=False,
        ),
        Field(
            "commercial", "商业接口", Place.option, "与微博签约后才有：可发长微博和多张图片", required=False,
            choices=_GRANTED,
        ),
        Field(
            "base_url", "接口地址", Place.base_url, "通常不填，即 https://api.weibo.com；演练时填模拟器的地址",
            required=False, schemes=WEB,
        ),
        Field(
            "hosts", "其他接口地址", Place.option,
            "通常不填；经代理访问时逐个写出，例如 rm=https://… m=https://… c=https://… upload=https://…",
            required=False, named=tuple(HOSTS),
        ),
    ),
    authorised_by_page=True,
)  # fmt: skip
