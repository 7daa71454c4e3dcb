"""How the columns of an office's files map to fields: chosen by name, remembered by headers, or recognised."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence

from sqlmodel import col, select

from connectors.files import Mapping, suggest
from connectors.files.columns import LABELS
from hub import audit, clock
from hub.crypto import digest
from hub.db import Unit
from hub.errors import Invalid, NotAllowed
from hub.i18n import _
from hub.models import SavedMapping
from hub.rights import Actor, May

NAME_LENGTH = 100


def fields() -> dict[str, str]:
    """Every field a column may be mapped to, with its Chinese name, in the order of the form."""
    return {field.value: label for field, label in LABELS.items()}


def headers_hash(headers: Sequence[str]) -> str:
    """Identity of a set of headers; their order does not matter."""
    return digest("\x1f".join(sorted(headers)))


async def choose(
    unit: Unit, headers: Sequence[str], sample: Sequence[Dict[str, str]] = (), name: str | None = None
) -> Mapping:
    """The saved mapping of that name; else the one last saved for these headers; else what is recognised.

    Invalid when the name is unknown. Whether the mapping fits is for :func:`checked` to say.
    """
    if name:
        saved = await unit.first(select(SavedMapping).where(col(SavedMapping.name) == name))
        if saved is None:
            raise Invalid({"mapping": _("没有名为「%(name)s」的列对应方案", name=name)})
        return Mapping.from_data(saved.columns)
    remembered = select(SavedMapping).where(col(SavedMapping.headers_hash) == headers_hash(headers))
    saved = await unit.first(remembered.order_by(col(SavedMapping.at).desc()).limit(1))
    return Mapping.from_data(saved.columns) if saved else suggest(headers, sample)


def checked(mapping: Mapping, headers: Sequence[str]) -> Mapping:
    """The mapping itself; Invalid with every reason why nothing can be imported with it."""
    if problems := mapping.problems(headers):
        raise Invalid({"mapping": "；".join(problems)})
    return mapping


def from_form(columns: Dict[str, str], headers: Sequence[str]) -> Mapping:
    """What a person chose, column → field ("" leaves a column out); Invalid when it cannot be used."""
    try:
        mapping = Mapping.from_data(columns)
    except ValueError:
        raise Invalid({"mapping": _("列对应方案里有不认识的字段")}) from None
    return checked(mapping, headers)


async def save(unit: Unit, actor: Actor, name: str, headers: Sequence[str], columns: Dict[str, str]) -> SavedMapping:
    """Remember a mapping under a name, for files with these headers too; the same name is overwritten."""
    if not actor.can(May.import_files):
        raise NotAllowed(_("没有导入文件的权限"))
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid({"name": _("方案名称须为 1 到 %(n)s 个字", n=NAME_LENGTH)})
    mapping = from_form(columns, headers)
    saved = await unit.first(select(SavedMapping).where(col(SavedMapping.name) == name)) or SavedMapping(name=name)
    saved.headers_hash, saved.columns = headers_hash(headers), mapping.as_data()
    saved.by_id, saved.at = actor.user_id, clock.now()
    unit.add(saved)
    await audit.record(unit, actor, "mapping_saved", f"mapping:{name}", columns=saved.columns)
    return saved


async def saved_names(unit: Unit) -> list[str]:
    """Names of all saved mappings."""
    return list(await unit.all(select(SavedMapping.name).order_by(col(SavedMapping.name))))
