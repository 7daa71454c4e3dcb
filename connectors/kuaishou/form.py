"""What connecting a Kuaishou account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

_GRANTED = (("", "未开通"), ("yes", "已开通"))
_TOKEN = "通常不用填：点「去授权」登录快手后自动得到"  # noqa: S105  a hint

FORM = AccountForm(
    "kuaishou",
    "快手",
    "连接一个快手账号：视频由系统发布，图文等到点由专人照步骤发布。先在快手开放平台建好网站应用，"
    "申请「用户信息」「发布视频」「查询视频」的权限，再点「去授权」。没有这些权限的，请改用「人工发布」。",
    (
        Field("app_key", "应用编号（App ID）", Place.option, "快手开放平台「管理中心 › 应用详情」中的 app_id"),
        Field("app_secret", "应用密钥（App Secret）", Place.secret, "同一页的 app_secret；授权和核对推送都要用"),
        Field("token", "访问令牌", Place.secret, _TOKEN, by_page=True),
        Field("refresh_token", "刷新令牌", Place.secret, _TOKEN, required=False),
        Field("external_id", "账号编号", Place.external_id, "账号的 open_id；可以不填，授权后自动得到", required=False),
        Field(
            "delete", "删除视频", Place.option,
            "权限 user_video_delete：开通后可以由系统撤下视频；没有开通的不要标，否则授权可能被拒绝", required=False,
            choices=_GRANTED,
        ),
        Field(
            "assignee", "负责人工发布的人", Place.option,
            "要人工发布的，到点提醒他。不选就提醒撰稿人", required=False, person=True,
        ),
        Field(
            "plain_upload", "上传网关", Place.option,
            "视频默认加密上传；快手给的上传网关不支持加密时，选「不加密」", required=False,
            choices=(("", "加密（https）"), ("yes", "不加密（http）")),
        ),
        Field(
            "base_url", "接口地址", Place.base_url, "通常不填，即 https://open.kuaishou.com；演练时填模拟平台的地址",
            required=False, schemes=WEB,
        ),
    ),
    authorised_by_page=True,
)  # fmt: skip
