"""What people did, in the office's words. A deed without words here is shown by its code."""

from __future__ import annotations

from hub.i18n import N_, _

WORDS = {
    "session.sign_in": N_("登录"), "session.sign_out": N_("退出登录"), "session.end": N_("结束一处登录"),
    "session.lock_out": N_("密码连续输错，锁定"),
    "user.create": N_("新增人员"), "user.change": N_("修改人员资料"), "user.activate": N_("启用人员"),
    "user.deactivate": N_("停用人员"), "user.set_password": N_("重设他人密码"),
    "user.change_password": N_("修改自己的密码"), "user.unlock": N_("解除锁定"),
    "user.end_sessions": N_("结束他人全部登录"),
    "department.create": N_("新增部门"), "department.change": N_("修改部门"), "department.open": N_("启用部门"),
    "department.close": N_("停用部门"),
    "token.issue": N_("生成接口令牌"), "token.revoke": N_("作废接口令牌"),
    "account.connect": N_("接入账号"), "account.renew": N_("更新账号凭据"), "account.activate": N_("启用账号"),
    "account.deactivate": N_("停用账号"), "account.disconnect": N_("断开账号并销毁凭据"),
    "audit.verify": N_("校验审计日志"),
}  # fmt: skip


def deed(code: str) -> str:
    """One deed in words."""
    return _(WORDS[code]) if code in WORDS else code


def deeds() -> list[tuple[str, str]]:
    """Every deed known by words, for a filter."""
    return [(code, _(words)) for code, words in WORDS.items()]
