"""What findings are called and why they are told, looked up in the language in force."""

from __future__ import annotations

from hub.i18n import N_, _
from hub.models import WordKind
from nlp.checking import Finding, Severity

SEVERITIES: dict[Severity, str] = {
    Severity.red: N_("红线"), Severity.error: N_("差错"), Severity.hint: N_("提示"),
}  # fmt: skip
# Of what is ignored: red lines too.
PASSING = Severity.red
TONES: dict[Severity, str] = {Severity.red: "danger", Severity.error: "soon", Severity.hint: "info"}

KINDS: dict[WordKind, str] = {
    WordKind.person: N_("姓名与职务"), WordKind.order: N_("排序"), WordKind.phrase: N_("固定表述"),
    WordKind.prohibited: N_("禁用词"), WordKind.advertising: N_("广告用语"), WordKind.ignored: N_("本单位不提示"),
}  # fmt: skip
GROUPS: dict[str, str] = {
    "confusion": N_("易混词"), "region": N_("行政区划"), "title": N_("姓名与职务"), "order": N_("排序"),
    "phrase": N_("固定表述"), "prohibited": N_("禁用词"), "advertising": N_("广告用语"), "personal": N_("个人信息"),
    "particle": N_("的地得"), "repeat": N_("重复"), "missing": N_("漏字"), "mark": N_("标点"), "date": N_("日期"),
    "figure": N_("数字与单位"), "link": N_("链接"), "spelling": N_("音近形近字"), "context": N_("前后文"),
}  # fmt: skip

# Rule → why. Without an entry the group's rule speaks; %(found)s is what stands there.
WHY: dict[str, str] = {
    "confusion": N_("「%(found)s」疑为「%(right)s」之误"),
    "confusion.hint": N_("「%(found)s」一般写作「%(right)s」"),
    "confusion.state": N_("「%(found)s」应为「%(right)s」：机关名称、国名等写错属严重表述错误"),
    "spelling": N_("「%(found)s」疑为「%(right)s」之误"),
    "context": N_("按前后文，「%(found)s」很可能应为「%(right)s」"),
    "region": N_("「%(city)s」属于%(province)s"),
    "region.name": N_("没有「%(found)s」这一行政区划，应为「%(right)s」"),
    "title": N_("词表中%(name)s的职务是：%(titles)s"),
    "title.name": N_("「%(found)s」疑为「%(right)s」之误：词表中的%(title)s"),
    "order": N_("与词表中的排序不一致，应为：%(right)s"),
    "phrase": N_("与固定表述不一致，应为「%(right)s」"),
    "prohibited": N_("「%(found)s」在本单位禁用词表中"),
    "advertising": N_("「%(found)s」属广告极限用语或不实承诺"),
    "personal.id_card": N_("个人信息：身份证号没有遮挡，发出后无法收回"),
    "personal.bank_card": N_("个人信息：银行卡号没有遮挡，发出后无法收回"),
    "personal.phone": N_("个人信息：手机号码没有遮挡；确为公开的办公电话，可以忽略"),
    "personal.plate": N_("个人信息：车牌号没有遮挡"),
    "personal.email": N_("个人信息：电子邮箱没有遮挡；确为公开的办公邮箱，可以忽略"),
    "particle": N_("这里的「%(found)s」应为「%(right)s」"),
    "repeat": N_("「%(found)s」有重复"),
    "missing": N_("「%(found)s」可能漏字，应为「%(right)s」"),
    "mark.repeat": N_("标点重复或连用：%(found)s"),
    "mark.pair": N_("「%(found)s」没有配对，缺少「%(other)s」"),
    "mark.width": N_("中文里用了半角的「%(found)s」"),
    "mark.hidden": N_("夹有看不见的字符，平台和检索会出错"),
    "date.weekday": N_("%(day)s是%(weekday)s"),
    "date.impossible": N_("没有「%(found)s」这个日期或时间"),
    "date.order": N_("结束日期早于开始日期"),
    "figure": N_("数字「%(found)s」写法有误"),
    "figure.approximate": N_("「%(found)s」约数重复，去掉一个"),
    "figure.unit": N_("单位「%(found)s」写法有误"),
    "figure.bare": N_("「%(found)s」后面可能漏了单位或百分号"),
    "figure.percent": N_("这类比例不会超过 100%%"),
    "link.plain": N_("链接没有加密（http），建议改用 https"),
    "link.short": N_("短链接看不出去向，请用完整网址"),
    "link.number": N_("链接直接用了 IP 地址，请用域名"),
    "link.foreign": N_("链接指向境外网站：%(host)s"),
    "link.broken": N_("链接写法有误，打不开"),
}
# Where the rules come from, as nlp says it.
SOURCES = (
    N_("《现代汉语词典》《第一批异形词整理表》"), N_("GB/T 15834《标点符号用法》"),
    N_("GB/T 15835《出版物上数字用法》"),
    N_("《中华人民共和国法定计量单位》"), N_("GB/T 2260《中华人民共和国行政区划代码》"), N_("《中华人民共和国广告法》"),
    N_("《中华人民共和国个人信息保护法》、国办发〔2018〕123号"), N_("国办发〔2018〕123号：先审后发"), N_("本单位词表"),
)  # fmt: skip


def why(finding: Finding) -> str:
    """One sentence for the person who wrote it."""
    given = dict(finding.values)
    right = finding.suggestions[0] if finding.suggestions else ""
    return _(WHY[finding.rule], found=finding.found, right=right, **given)


def severity_label(severity: Severity) -> str:
    """红线, 差错, 提示."""
    return _(SEVERITIES[severity])


def kind_label(kind: WordKind) -> str:
    """The name of one of the office's lists."""
    return _(KINDS[kind])


def group_label(group: str) -> str:
    """The name of a group of rules; "" = every rule."""
    return _(GROUPS[group]) if group in GROUPS else _("所有规则")
