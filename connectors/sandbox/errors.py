"""The pretend platform's error codes: Weibo's, and one of its own for a private message that comes too late."""

from connectors.base import ErrorKind
from connectors.weibo.codes import CODES as WEIBO_CODES

CODES = {
    **WEIBO_CODES,
    21901: (ErrorKind.window_closed, "已超过平台允许的私信回复时限（48 小时），请改用其他联系方式"),
}
