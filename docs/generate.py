"""Writes the generated pages of ``docs/reference`` from the code: ``.venv/bin/python -m docs.generate [--check]``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from connectors.forms import Field
from connectors.registry import FORMS, connectors
from hub.i18n import gettext, speaking
from hub.models import DeliveryState, Role
from hub.policy import packs
from hub.rights import ROLE_MAY, May
from hub.settings import Settings
from web.cli.frame import COMMANDS, Commands
from web.routes import all_routes
from web.routes.table import Gate
from workflows.cases import moves as case_moves
from workflows.cases.words import move_label, state_label
from workflows.delivery.states import label as delivery_label
from workflows.desk import Job
from workflows.jobs import DELIVERY_RINGS, JOBS
from workflows.publishing import states as post_states

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Generated from the code by docs/generate.py. Change the code, not this page. -->\n\n"
Rows = Iterable[Iterable[str]]


def table(head: Iterable[str], rows: Rows) -> str:
    """A Markdown table; bars and line ends inside cells are made harmless."""
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "---|" * lines[0].count(" | ") + "---|")
    lines += ["| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Every setting with its default."""
    rows = (
        (f"`HUB_{name.upper()}`", f"`{field.default}`" if field.default != "" else "", field.description or "")
        for name, field in Settings.model_fields.items()
    )
    intro = "Environment variables, or lines of `hub.env` in the data folder. The environment wins.\n\n"
    return "# Settings\n" + NOTE + intro + table(("setting", "default", "meaning"), rows)


def commands() -> str:
    """Every command with its options."""
    group = Commands(name="hub")
    context = click.Context(group, info_name="hub")
    parts = ["# Command line\n", NOTE]
    parts.append("Exit codes: 0 done · 1 refused or failed, with the reason · 2 wrong usage · 3 the machine or the "
                 "settings stand in the way · 130 interrupted.\n\n")  # fmt: skip
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        parts += _command(command, click.Context(command, info_name=name, parent=context))
    return "".join(parts)


def _command(command: click.Command, context: click.Context) -> list[str]:
    if isinstance(command, click.Group):
        inner = [(one, click.Context(one, info_name=name, parent=context)) for name, one in command.commands.items()]
        return [part for one, below in inner for part in _command(one, below)]
    rows = []
    for parameter in command.params:
        is_argument = isinstance(parameter, click.Argument)
        names = [str(parameter.name).upper()] if is_argument else [*parameter.opts, *parameter.secondary_opts]
        said = getattr(parameter, "help", None) or ""
        rows.append((", ".join(f"`{name}`" for name in names), _english(said), said, _given(parameter)))
    head = f"## `{context.command_path}`\n{_english(command.help or '')}\n\n{command.help or ''}\n\n"
    return [head, *([table(("option", "meaning", "说明", ""), rows), "\n"] if rows else [])]


def _english(text: str) -> str:
    with speaking("en"):
        return gettext(text) if text else ""


def _given(parameter: click.Parameter) -> str:
    """Whether it must be given, and what counts when it is not."""
    if parameter.required:
        return "required"
    is_plain = isinstance(parameter.default, str | int) and not isinstance(parameter.default, bool)
    return f"default {parameter.default}" if is_plain else ""


def routes() -> str:
    """Every route with what it needs."""

    def needs(route: object) -> str:
        wanted = getattr(route, "needs")  # noqa: B009 -- a union of three kinds
        if isinstance(wanted, Gate):
            return wanted.value
        return ", ".join(right.value for right in (wanted if isinstance(wanted, tuple) else (wanted,)))

    rows = sorted(
        (route.path, method, route.door.value, needs(route), route.scope)
        for route in all_routes()
        for method in route.methods
    )
    head = ("path", "method", "door", "needs (one of)", "token scope")
    return "# Routes\n" + NOTE + table(head, ((f"`{path}`", *rest) for path, *rest in rows))


def rights() -> str:
    """Who may do what."""
    head = ("right", *(role.value for role in Role))
    rows = ((f"`{right.value}`", *("●" if right in ROLE_MAY[role] else "" for role in Role)) for right in May)
    return "# Rights\n" + NOTE + table(head, rows)


def states() -> str:
    """The three state machines."""
    cases = (
        (f"`{move.value}`", move_label(move),
         " · ".join(f"{state_label(a)} → {state_label(b)}" for a, b in step.to.items()),
         ", ".join(sorted(right.value for right in step.rights)) or "the hub itself")
        for move, step in case_moves.MOVES.items()
    )  # fmt: skip
    posts = (
        (f"`{move.value}`", post_states.label(move),
         ", ".join(post_states.label(state) for state in sorted(sources)),
         ", ".join(sorted(right.value for right in who)))
        for move, (sources, who) in post_states.MOVES.items()
    )  # fmt: skip
    return "".join((
        "# States and moves\n", NOTE, "## Case\n", table(("move", "名称", "from → to", "right"), cases),
        "\n## Post\n", table(("move", "名称", "from", "right"), posts),
        "\n## Delivery\n", table(("state", "名称"), _delivery_states()),
    ))  # fmt: skip


def _delivery_states() -> Rows:
    return ((f"`{state.value}`", delivery_label(state)) for state in DeliveryState)


def jobs() -> str:
    """Every job of the worker."""

    def does(job: Job) -> str:
        return (job.work.__doc__ or "").split("\n")[0]

    rows = [(f"`{job.name}`", f"{job.every:g}" if job.every else "", does(job)) for job in JOBS]
    rings = f"Rings that wake the dispatcher: {', '.join(f'`{name}`' for name in DELIVERY_RINGS)}.\n\n"
    return "# Jobs\n" + NOTE + rings + table(("job", "every (s)", "does"), rows)


def platforms() -> str:
    """Every connector with what connecting an account takes."""
    parts = ["# Connectors\n", NOTE]
    for name, connector in connectors(live=False).items():
        form = FORMS[name]
        fields = ((f"`{one.name}`", one.label, one.hint, values_of(one)) for one in form.fields)
        streams = ", ".join(connector.streams) or "none"
        parts.append(f"## {name}: {connector.label}\n{form.note}\n\nStreams: {streams}\n\n")
        parts += [table(("field", "名称", "说明", ""), fields), "\n"]
    return "".join(parts)


def values_of(field: Field) -> str:
    """What the command line may be given."""
    said = [] if field.required else ["optional"]
    if field.choices:
        said.append(" ".join(f"`{value}`" for value, _word in field.choices if value))
    if field.whole:
        said.append("{}–{}".format(*field.whole))
    return ": ".join(said)


def policy() -> str:
    """The limits in force without an office's own file."""
    text = (Path(packs.__file__).parent / "default.toml").read_text(encoding="utf-8")
    intro = "An office's own `policy.toml` in the data folder is laid over it.\n\n"
    return f"# Policy pack\n{NOTE}{intro}```toml\n{text}```\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings, "commands.md": commands, "routes.md": routes, "rights.md": rights, "states.md": states,
    "jobs.md": jobs, "connectors.md": platforms, "policy.md": policy,
}  # fmt: skip


def stale() -> list[str]:
    """Pages that no longer say what the code says."""
    with speaking("zh_CN"):
        return [name for name, write in PAGES.items() if _read(FOLDER / name) != write()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> int:
    """Write all pages, or with ``--check`` only say which are out of date."""
    if "--check" in sys.argv[1:]:
        old = stale()
        sys.stdout.write("".join(f"out of date: docs/reference/{name}\n" for name in old))
        return 1 if old else 0
    with speaking("zh_CN"):
        for name, write in PAGES.items():
            (FOLDER / name).write_text(write(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
