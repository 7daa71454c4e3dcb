"""The platform's error codes as data, after its public table: kind, and a sentence for people.

Where a code's meaning lies outside what the hub does (following, lists, tags), it can only come of a call the hub never
makes, and is a ``bug``.
"""

from __future__ import annotations

from connectors.failures import ErrorKind, codes

K = ErrorKind


CODES: dict[int, tuple[ErrorKind, str]] = {
    # the platform's own trouble
    **codes("10001 10003 10010 10011 20607", K.transient, "平台内部出错，系统会核实后处理"),
    **codes("10002 10009 20014 21331", K.transient, "平台暂停服务或过于繁忙，系统会稍后再试"),
    # too often
    **codes("10022", K.rate_limited, "本机对平台的调用过于频繁，系统会等到限制解除"),
    **codes("10023 10024 20505 21303 21603", K.rate_limited, "平台限制了调用频率，系统会等到限制解除"),
    **codes("20016", K.rate_limited, "平台提示发布过于频繁，系统会等到限制解除"),
    # the authorisation
    **codes("10006 21301 21311-21313", K.auth_human, "平台没有认出应用或授权，请管理员核对 App Key 并重新授权"),
    **codes("21302", K.auth_human, "平台不认可账号或密码，请管理员重新授权"),
    **codes("21314 21318 21325", K.auth_human, "授权码已用过或已失效，请管理员点「重新授权」"),
    **codes("21315 21327", K.auth_human, "该账号的访问令牌已过期，请管理员重新授权"),
    **codes("21316 21317 21332", K.auth_human, "平台不再承认该账号的访问令牌（可能改过密码），请管理员重新授权"),
    **codes("21319", K.auth_human, "账号的主人已在微博上取消授权，请管理员重新授权"),
    **codes("21321", K.auth_human, "授权已被取消，或应用尚未通过审核且使用人数已满，请管理员核对后重新授权"),
    **codes("21322", K.auth_human, "授权回调地址与应用登记的不一致，请管理员到微博开放平台核对"),
    **codes("21324", K.auth_human, "App Key 或 App Secret 不正确，请管理员核对"),
    **codes("21330", K.auth_human, "授权时点了「拒绝」，账号没有接入"),
    # rights
    **codes("10004", K.permission, "平台不允许本机的 IP 调用接口，请管理员在微博开放平台登记服务器的公网 IP"),
    **codes("10005 10014", K.permission, "该应用没有这项接口权限，请管理员向平台申请"),
    **codes("10013", K.permission, "该账号在平台上状态不正常，请管理员登录微博核对"),
    **codes("20102 20203 20303", K.permission, "这条内容不属于该账号，不能操作"),
    **codes("21601 21701", K.permission, "该操作需要平台另行授权，请管理员向平台申请"),
    # the content
    **codes("20012 20013", K.content_rejected, "内容超过平台允许的长度，请删减后再提交"),
    **codes("10018", K.content_rejected, "内容或图片过大，请删减后再提交"),
    **codes("20008", K.content_rejected, "内容为空，请填写后再提交"),
    **codes("20005", K.content_rejected, "图片类型不符合平台要求，只能用 JPG、GIF 或 PNG"),
    **codes("20006", K.content_rejected, "图片超过平台允许的大小，请压缩后再提交"),
    **codes("10017", K.content_rejected, "平台不接受内容中的链接或写法（链接须属于应用的安全域名），请修改后再提交"),
    **codes("20018 20401", K.content_rejected, "内容含有平台不允许的网址，请修改后再提交"),
    **codes("20020", K.content_rejected, "平台认为内容含有广告，请修改后再提交"),
    **codes("20021 20104 20202 20302", K.content_rejected, "平台认为内容违规，请修改后再提交"),
    **codes("21602", K.content_rejected, "平台提示内容含有敏感词，请修改后再提交"),
    # said before
    **codes("20017 20019 20111 20306", K.duplicate, "平台提示相同内容已经发过，系统会核实"),
    # the account itself
    **codes("20015", K.account_risk, "平台判定账号、IP 或应用异常，已停止该账号的发布，请管理员登录微博处理"),
    **codes("20022", K.account_risk, "平台判定本机 IP 行为异常，已停止该账号的发布，请管理员登录微博处理"),
    **codes("20031 20507", K.account_risk, "平台要求输入验证码，已停止该账号的发布，请管理员登录微博处理"),
    # who or what is meant
    **codes("20003 20501", K.not_found, "对方账号不存在"),
    **codes("20101", K.not_found, "这条微博不存在或已被删除"),
    **codes("20201", K.not_found, "这条评论不存在或已被删除"),
    **codes("20305", K.not_found, "这条私信不存在"),
    **codes("20301 20523", K.target_refuses, "对方已不是该账号的粉丝，不能再发私信，请改用其他联系方式"),
    **codes("20103 20206 20508", K.target_refuses, "对方的设置不允许接收该账号的回复，请改用其他联系方式"),
    # accepted, not yet to be seen
    **codes("20032", K.transient, "平台已经受理，一两分钟后可见"),
    # our own fault
    **codes("10007 10008 10012 10016 10020 10021 20001 20002 20007 20009 20109 20204 20307 20402 20502 21304-21310 "
           "21320 21501-21504 21702 21703 21901", K.bug, "平台不接受请求的写法，请联系技术人员"),
    **codes("20503 20504 20506 20509-20513 20521 20522 20524 20601-20606 20608 20610-20615 20701-20703 20801 20802 "
           "20901-20905 21001 21002 21101-21104", K.bug, "平台对本系统不使用的功能报错，请联系技术人员"),
}  # fmt: skip
# The platform failed on its own side, or says that the text is there: a write may have gone through all the same.
MAYBE_DONE = frozenset({10001, 10003, 10010, 10011, 20607, 20017, 20019, 20111, 20306})
ACCEPTED_LATE = frozenset({20032})

# The address for long articles answers in codes of its own.
ARTICLE_CODES: dict[int, tuple[ErrorKind, str]] = {
    10001: (K.transient, "平台内部出错，系统会核实后处理"),
    10008: (K.bug, "平台不接受请求的写法，请联系技术人员"),
    11001: (K.rate_limited, "平台提示发布文章过于频繁，系统会等到限制解除"),
    11002: (K.transient, "文章已提交，但平台没有发出同步的微博，系统会核实"),
    11003: (K.permission, "文章没有绑定到账号：头条文章接口只向政务、媒体和机构账号开放，请管理员联系平台开通"),
}
ARTICLE_MAYBE_DONE = frozenset({10001, 11002})
