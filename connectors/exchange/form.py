"""What exchanging work orders takes."""

from connectors.exchange.orders import FIELDS, GOING_BACK, KINDS
from connectors.forms import WEB, AccountForm, Field, Place, Table
from connectors.stages import STAGE_WORDS, STAGES

# The status of a result, beside those of the stages.
ANSWERED = "答复"
FORM = AccountForm(
    "exchange",
    "工单交换（12345）",
    "与 12345 热线等系统交换工单：对方把工单推送过来，办理结果由本系统送回去，双方按约定的密钥签名。",
    (
        Field(
            "base_url", "对方接口地址", Place.base_url,
            "办理结果送到这个地址下的 /results，进度送到 /events，由对方提供。", schemes=WEB,
        ),
        Field("key_id", "密钥编号", Place.option, "双方约定的编号，写在每次请求的 X-Exchange-Key 里。"),
        Field("key", "密钥", Place.secret, "双方共用的签名密钥，至少 16 个字符；两边都要保密。"),
        Field(
            "pull", "定时领取", Place.option, "选「是」则还从对方的 /orders 定时领取；选「否」只接收推送。",
            required=False, choices=(("", "否"), ("是", "是")),
        ),
        Field(
            "mapping", "字段对照", Place.option,
            "对方的字段名不同时填写，如 order_id=GDBH,content=SQNR,result=BLJG，收和送都用；标准字段见说明文档。",
            required=False, table=Table("order_id=GDBH", left=tuple(dict.fromkeys((*FIELDS, *GOING_BACK)))),
        ),
        Field(
            "kinds", "类型对照", Place.option, "对方的类型代码，如 01=咨询,02=求助,03=投诉,04=举报,05=建议,06=表扬。",
            required=False, table=Table("01=咨询", right=KINDS),
        ),
        Field(
            STAGES, "送回的进度", Place.option,
            "除办理结果外还要告诉对方的环节，如“受理,签收,转办,退单,办结”；不填就只送办理结果。",
            required=False, several=tuple(STAGE_WORDS),
        ),
        Field(
            "statuses", "状态对照", Place.option,
            "对方的状态代码，如“受理=1,签收=2,转办=3,退单=4,答复=5,办结=9”；没写的送英文名。",
            required=False, table=Table("受理=1", left=(*STAGE_WORDS, ANSWERED)),
        ),
    ),
)  # fmt: skip
