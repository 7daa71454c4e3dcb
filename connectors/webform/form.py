"""What opening a letter page takes."""

from connectors.forms import AccountForm, Field, Place

FORM = AccountForm(
    "webform",
    "网上信箱",
    "在本系统上开一个公开的写信页面，可以嵌入单位网站。市民写信、上传材料，凭查询码看办理进度和答复。",
    (
        Field("slug", "页面地址", Place.option, "小写字母、数字和连字符，例如 mayor：页面就在 /letters/mayor。"),
        Field("title", "页面标题", Place.option, "例如 临江市领导信箱。"),
        Field("intro", "写信须知", Place.option, "写在页面上方的说明，例如受理范围和答复时间。", required=False),
        Field(
            "kinds", "信件类型", Place.option, "用顿号分开，不填为：咨询、求助、投诉、举报、建议、表扬。",
            required=False,
        ),
        Field(
            "phone", "联系电话", Place.option, "写信时要不要留电话。", required=False,
            choices=(("", "必填"), ("选填", "选填"), ("不要", "不要")),
        ),
        Field(
            "embed", "可嵌入的网站", Place.option,
            "允许把这个页面嵌入进去的网站，如 https://www.example.gov.cn，多个用空格分开。", required=False, sites=True,
        ),
        Field(
            "hourly", "每小时限写", Place.option, "同一网络地址每小时最多写几封，不填为 5。", required=False,
            whole=(1, 9999),
        ),
    ),
)  # fmt: skip
