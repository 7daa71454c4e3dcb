"""What people did, in the office's words. A deed without words here would be shown by its code; a test finds those."""

from __future__ import annotations

from hub.i18n import N_, _
from workflows.cases.words import MOVE_WORDS

WORDS = {
    "session.sign_in": N_("登录"),
    "session.sign_out": N_("退出登录"),
    "session.end": N_("结束一处登录"),
    "session.lock_out": N_("密码连续输错，锁定"),
    "user.create": N_("新增人员"),
    "user.change": N_("修改人员资料"),
    "user.activate": N_("启用人员"),
    "user.deactivate": N_("停用人员"),
    "user.set_password": N_("重设他人密码"),
    "user.change_password": N_("修改自己的密码"),
    "user.unlock": N_("解除锁定"),
    "user.end_sessions": N_("结束他人全部登录"),
    "department.create": N_("新增部门"),
    "department.change": N_("修改部门"),
    "department.open": N_("启用部门"),
    "department.close": N_("停用部门"),
    "tags.renew": N_("重新打标全部留言"),
    "token.issue": N_("生成接口令牌"),
    "token.revoke": N_("作废接口令牌"),
    "account.connect": N_("接入账号"),
    "account.renew": N_("更新账号凭据"),
    "account.activate": N_("启用账号"),
    "account.deactivate": N_("停用账号"),
    "account.disconnect": N_("断开账号并销毁凭据"),
    "account.budgets": N_("设定账号的调用额度"),
    "account.circuit_open": N_("账号自动停用"),
    "account.circuit_close": N_("恢复自动停用的账号"),
    "key.rotate": N_("用新密钥重新加密凭据"),
    "account_added": N_("建立文件账号"),
    "audit.verify": N_("校验审计日志"),
    "message.reveal": N_("查看个人信息"),
    "message.keep_picture": N_("把网民图片存到本系统"),
    "message.clear_pictures": N_("按保存期限清除网民图片"),
    "tags_corrected": N_("修正标签"),
    "tags_confirmed": N_("确认标签无误"),
    "tags_withdrawn": N_("撤回标签修正"),
    "model.learn": N_("让系统现在学习"),
    "model.choose": N_("换用分析模型的版本"),
    "model.let_go": N_("恢复分析模型自动更新"),
    "case.note": N_("写内部备注"),
    "delivery.settle": N_("人工确认发送结果"),
    "delivery.removal": N_("记录平台下线的处理"),
    "delivery.by_hand": N_("登记人工发布"),
    "delivery.not_by_hand": N_("登记未能人工发布"),
    "delivery.hand_to": N_("指定人工发布的人"),
    "delivery.figures": N_("填写发布内容的数据"),
    "comments.paste": N_("粘贴评论入库"),
    "delivery.cancel": N_("取消发送"),
    "sending.pause": N_("暂停发布"),
    "sending.lift": N_("恢复发布"),
    "import_started": N_("开始导入"),
    "import_done": N_("导入完成"),
    "import_failed": N_("导入失败"),
    "mapping_saved": N_("保存列对应方案"),
    "quarantine_replayed": N_("重放隔离来件"),
    "quarantine_ignored": N_("忽略隔离来件"),
    "words.add": N_("增加词条"),
    "words.change": N_("修改词条"),
    "words.remove": N_("删除词条"),
    "words.import": N_("导入词表"),
    "post.force": N_("放行稿件红线"),
    "case.force_check": N_("放行答复红线"),
    "matter.renamed": N_("给热点改名"),
    "matter.merged": N_("把热点并入另一件"),
    "matter.took_in": N_("并入了另一件热点"),
    "matter.parted": N_("拆分热点"),
    "matter.let_go": N_("把留言移出热点"),
    "matter.came_from": N_("从别的热点拆出"),
    "matter.dismissed": N_("忽略热点"),
    "matter.reopened": N_("恢复关注热点"),
    "matter.undone": N_("撤销热点的并入、拆分或移出"),
    "model.reply": N_("请模型起草答复"),
    "model.summary": N_("请模型概括热点"),
    "model.taken": N_("采用模型起草的文字"),
    "plan.create": N_("新建监测方案"),
    "plan.change": N_("修改监测方案"),
    "plan.activate": N_("启用监测方案"),
    "plan.deactivate": N_("停用监测方案"),
    "plan.run": N_("回溯监测方案"),
    "plan.export": N_("导出监测命中"),
    "messages.export": N_("导出收件"),
    "plan.seen": N_("看过监测预警"),
    "rule.create": N_("新建派单规则"),
    "rule.change": N_("修改派单规则"),
    "rule.activate": N_("启用派单规则"),
    "rule.deactivate": N_("停用派单规则"),
    "rule.move": N_("调整派单规则的次序"),
    "routing.learn": N_("重新学习派单"),
    "routing.put_back": N_("停用学到的派单"),
    "post.create": N_("新建稿件"),
    "post.save": N_("修改稿件"),
    "post.submit": N_("稿件送审"),
    "post.sign": N_("稿件审核通过"),
    "post.send_back": N_("稿件退回"),
    "post.withdraw": N_("撤回稿件"),
    "post.reschedule": N_("调整发布时间"),
    **{f"case.{move.value}": words for move, words in MOVE_WORDS.items()},
}


def deed(code: str) -> str:
    """One deed in words."""
    return _(WORDS[code]) if code in WORDS else code


def deeds() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every deed known by words, for a filter: by the part of the work it belongs to."""
    found: dict[str, list[tuple[str, str]]] = {title: [] for title in _PARTS}
    for code, words in WORDS.items():
        found[_part_of(code)].append((code, _(words)))
    return [(_(title), deeds) for title, deeds in found.items() if deeds]


# What a code begins with, by the part of the work; the last takes the rest.
_PARTS: dict[str, tuple[str, ...]] = {
    N_("人员、部门和登录"): ("session", "user", "department", "token"),
    N_("账号"): ("account", "account_added", "key"),
    N_("收件和标签"): (
        "message", "messages", "comments", "tags", "tags_corrected", "tags_confirmed", "tags_withdrawn",
        "import_started", "import_done", "import_failed", "mapping_saved", "quarantine_replayed", "quarantine_ignored",
    ),
    N_("工单"): ("case",),
    N_("稿件和发送"): ("post", "delivery", "sending"),
    N_("热点和监测"): ("matter", "plan"),
    N_("派单规则"): ("rule", "routing"),
    N_("词表和模型"): ("words", "model"),
    N_("其他"): (),
}  # fmt: skip


def _part_of(code: str) -> str:
    begins = code.partition(".")[0]
    return next((title for title, beginnings in _PARTS.items() if begins in beginnings), next(reversed(_PARTS)))
