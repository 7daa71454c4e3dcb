"""What connecting an account that is kept by hand takes."""

from connectors.forms import AccountForm, Field, Place
from connectors.manual.platforms import SITES

FORM = AccountForm(
    "manual",
    "人工发布",
    "平台没有给政务账号用的接口时用它：稿件照常排期、审核、入台账，到点由专人照步骤在平台上发布，再把链接贴回来。",
    (
        Field(
            "site", "平台", Place.option, "图片尺寸、字数和链接的写法按平台来。",
            choices=tuple((site.name, site.label) for site in SITES),
        ),
        Field("handle", "平台上的账号名", Place.external_id, "发布的人据此核对登录的是不是这个账号。"),
        Field(
            "assignee", "负责发布的人", Place.option, "到点提醒他。不选就提醒撰稿人；写稿时可以另选。",
            required=False, person=True,
        ),
        Field(
            "covers", "封面尺寸", Place.option, "像素，多个用逗号分开，例如 1080x1440。不填按平台常用的。",
            required=False,
        ),
        Field(
            "post_length", "正文字数上限", Place.option, "不填按平台常用的。", required=False, whole=(1, 100_000)
        ),
        Field(
            "title_length", "标题字数上限", Place.option, "不填按平台常用的；填 0 表示没有标题。", required=False,
            whole=(0, 200),
        ),
    ),
)  # fmt: skip
