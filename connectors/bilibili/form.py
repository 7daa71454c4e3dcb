"""What connecting a Bilibili account takes."""

from connectors.forms import WEB, AccountForm, Field, Place

_TOKEN = "通常不用填：点「去授权」登录 B 站后自动得到"  # noqa: S105  a hint

FORM = AccountForm(
    "bilibili",
    "哔哩哔哩",
    "连接一个 B 站账号：专栏文章和视频由系统投稿，动态等到点由专人照步骤发布。"
    "先在哔哩哔哩开放平台建好应用，再点「去授权」。",
    (
        Field("app_key", "应用编号（Client ID）", Place.option, "B 站开放平台「应用管理 › 应用详情」中的 client_id"),
        Field("app_secret", "应用密钥（App Secret）", Place.secret, "同一页的 app_secret；授权和签名都要用"),
        Field("token", "访问令牌", Place.secret, _TOKEN, by_page=True),
        Field("refresh_token", "刷新令牌", Place.secret, _TOKEN, required=False),
        Field("external_id", "账号编号", Place.external_id, "账号的 openid；可以不填，授权后自动得到", required=False),
        Field(
            "category", "专栏分类编号", Place.option,
            "文章投到哪个子分类，例如 15（生活 › 日常）；应用有专栏权限的填，不填则由人工发布", required=False,
        ),
        Field(
            "video_category", "视频分区编号", Place.option,
            "视频投到哪个二级分区（tid），在开放平台的「分区查询」中查到；应用有视频稿件权限的填，不填则由人工发布",
            required=False, whole=(1, 999_999_999),
        ),
        Field(
            "tags", "视频标签", Place.option, "每个视频都带的标签，例如：政务,民生,临江；多个用逗号分开，投视频的必填",
            required=False,
        ),
        Field(
            "assignee", "负责人工发布的人", Place.option,
            "要人工发布的，到点提醒他。不选就提醒撰稿人", required=False, person=True,
        ),
        Field(
            "base_url", "接口地址", Place.base_url, "通常不填，即 https://member.bilibili.com；演练时填模拟平台的地址",
            required=False, schemes=WEB,
        ),
    ),
    authorised_by_page=True,
)  # fmt: skip
