"""What connecting a Douyin account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

_GRANTED = (("", "未开通"), ("yes", "已开通"))
_TOKEN = "通常不用填：点「去授权」登录抖音后自动得到"  # noqa: S105  a hint

FORM = AccountForm(
    "douyin",
    "抖音",
    "连接一个抖音账号。先在抖音开放平台建好网站应用并申请能力，在这里标出已开通的，再点「去授权」。"
    "没有开通发布能力也能用：到点由专人照步骤发布。",
    (
        Field("app_key", "应用编号（Client Key）", Place.option, "抖音开放平台「控制台 › 应用详情」中的 Client Key"),
        Field("app_secret", "应用密钥（Client Secret）", Place.secret, "同一页的 Client Secret；授权和核对推送都要用"),
        Field("token", "访问令牌", Place.secret, _TOKEN, by_page=True),
        Field("refresh_token", "刷新令牌", Place.secret, _TOKEN, required=False),
        Field("external_id", "账号编号", Place.external_id, "账号的 open_id；可以不填，授权后自动得到", required=False),
        Field(
            "publish", "发布图文和视频", Place.option,
            "能力「代替用户发布」（video.create.bind），只批给企业、党政机关和事业单位的网站应用", required=False,
            choices=_GRANTED,
        ),
        Field(
            "works", "作品列表和数据", Place.option,
            "能力「视频信息数据」「视频互动数据」（video.list.bind、video.data.bind）；收评论、看数据都要用",
            required=False, choices=_GRANTED,
        ),
        Field(
            "comments", "管理视频评论", Place.option,
            "能力「管理视频评论」（item.comment）：收取和回复自己视频下的评论", required=False, choices=_GRANTED,
        ),
        Field(
            "messages", "私信", Place.option,
            "能力「私信管理」（im.direct_message）：只给经营类账号，来信靠推送", required=False, choices=_GRANTED,
        ),
        Field(
            "renew", "授权续期", Place.option,
            "能力 renew_refresh_token：开通后授权可以自动续期 5 次；没有就每 30 天重新授权一次", required=False,
            choices=_GRANTED,
        ),
        Field(
            "assignee", "负责人工发布的人", Place.option,
            "要人工发布的，到点提醒他。不选就提醒撰稿人", required=False, person=True,
        ),
        Field(
            "rip", "操作者公网 IP", Place.option, "读评论时报给抖音的 IP，填办公网络的公网出口地址", required=False
        ),
        Field(
            "base_url", "接口地址", Place.base_url, "通常不填，即 https://open.douyin.com；演练时填模拟平台的地址",
            required=False, schemes=WEB,
        ),
    ),
    authorised_by_page=True,
)  # fmt: skip
