"""What a password must be."""

from __future__ import annotations

from hub import crypto
from hub.errors import Invalid
from hub.i18n import _
from hub.models import User

SHORTEST = 10
LONGEST = 200
# The most used ones of ten characters and more in published Chinese and international leak statistics.
# fmt: off
COMMON = frozenset({
    "1234567890", "12345678910", "0123456789", "0987654321", "9876543210", "1111111111", "0000000000",
    "8888888888", "6666666666", "9999999999", "1231231231", "123123123123", "1122334455", "11223344556",
    "112233445566", "1357924680", "147258369", "1472583690", "1314520520", "5201314520", "52013145201314",
    "qwertyuiop", "qwertyuiop123", "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx3edc", "q1w2e3r4t5", "qazwsxedcrfv",
    "asdfghjkl123", "asdfghjkl;", "zxcvbnm123", "abc1234567", "abcd123456", "abcd1234567", "a123456789",
    "a1234567890", "aa12345678", "aa123456789", "qq123456789", "wang123456", "woaini1314", "woaini520",
    "woaini1314520", "woaini123456", "password123", "password1234", "passw0rd123", "password01", "administrator",
    "admin12345", "admin123456", "admin1234567", "admin888888", "root123456", "letmein1234", "welcome123",
    "iloveyou123", "changeme123", "zhengfu123", "zhengwu123", "gongan12345", "12345hotline", "weibo12345",
    "weibo123456", "test123456", "test1234567",
})
# fmt: on


def problems(password: str, username: str) -> str:
    """Why this password will not do for this person, in words; empty when it will."""
    plain = password.strip().lower()
    if len(password) < SHORTEST:
        return _("密码至少 %(n)s 个字符。", n=SHORTEST)
    if len(password) > LONGEST:
        return _("密码最多 %(n)s 个字符。", n=LONGEST)
    if username and username.lower() in plain and len(plain) - len(username) < SHORTEST - 4:
        return _("密码不能用登录名，也不能只在登录名后加几个字符。")
    if plain in COMMON or len(set(plain)) < 4:
        return _("这个密码太常见，容易被猜中，请换一个。")
    return ""


def check(password: str, username: str, field: str = "password") -> None:
    """Raise :class:`Invalid` unless the password will do."""
    if problem := problems(password, username):
        raise Invalid({field: problem})


def apply(user: User, password: str, *, must_change: bool) -> None:
    """Store the password on the row, unchecked; clears a lock."""
    user.password_hash = crypto.hash_password(password)
    user.must_change_password = must_change
    user.failures, user.locked_until = 0, None
