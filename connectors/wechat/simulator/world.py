"""Everything the pretend platform knows, in memory, and in one JSON file where it is to be kept."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

WINDOW_SECONDS = 48 * 3600
WINDOW_TIMES = 5
OVERLAP_SECONDS = 300
DAY = 24 * 3600


class Refusal(Exception):
    """The platform says no with one of its codes; ``more`` goes into the answer."""

    def __init__(self, code: int, text: str, **more: Any) -> None:
        super().__init__(code, text)
        self.code, self.text, self.more = code, text, more


@dataclass
class Token:
    """One access token of one account."""

    value: str
    app: str
    made_at: float
    ends_at: float
    stable: bool


@dataclass
class Official:
    """One official account and how the platform treats it."""

    app: str
    secret: str
    gh: str
    name: str
    token: str
    aes_key: str
    mode: str = "plain"  # plain, compatible, secure
    push_url: str = ""
    certified: bool = True
    comments: bool = True
    kind: str = "service"  # service, subscription
    listed_ip: bool = True
    protected: bool = False  # mass messages wait for the administrator
    review: int = 0  # 0 passes; 2, 3, 4 refuse
    review_seconds: float = 1.0
    newest_first: bool = True  # comments
    quotas: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    forced: list[float] = field(default_factory=list)


@dataclass
class Citizen:
    """One follower of one account."""

    openid: str
    app: str
    name: str
    follows: bool = True
    blocks: bool = False
    wrote_at: float = 0.0
    left: int = 0


@dataclass
class World:
    """The whole state. Rules stand where they are applied; here are only looking up, numbering and keeping."""

    path: Path | None = None
    number: int = 100_000_000
    offset: float = 0.0
    officials: dict[str, Official] = field(default_factory=dict)
    citizens: dict[str, Citizen] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    says: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    masses: dict[str, dict[str, Any]] = field(default_factory=dict)
    articles: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def now(self) -> float:
        """Unix seconds, moved by the control API."""
        return time.time() + self.offset

    def next(self) -> int:
        """A number nobody has had."""
        self.number += 1
        return self.number

    def official(self, app: str) -> Official:
        """An account by its AppID; :class:`Refusal` 40013."""
        if app not in self.officials:
            raise Refusal(40013, "invalid appid")
        return self.officials[app]

    def citizen(self, app: str, name: str) -> Citizen:
        """The follower of that name, made when new."""
        for citizen in self.citizens.values():
            if citizen.app == app and name in (citizen.name, citizen.openid):
                return citizen
        openid = "o" + base64.urlsafe_b64encode(secrets.token_bytes(20)).decode()[:27]
        self.citizens[openid] = Citizen(openid, app, name)
        return self.citizens[openid]

    def note(self, app: str, who: str, text: str, **more: Any) -> dict[str, Any]:
        """Put one sentence into the conversation of an account and a citizen; ``who``: citizen, official, receipt."""
        said = {"id": self.next(), "app": app, "who": who, "text": text, "at": self.now(), **more}
        self.says.append(said)
        return said

    def spend(self, official: Official, calls: str) -> None:
        """Count one call against the quota of a day; :class:`Refusal` 45009 when it is used up."""
        most = official.quotas.get(calls)
        key = f"{calls}:{int(self.now() // DAY)}"
        official.used[key] = official.used.get(key, 0) + 1
        if most is not None and official.used[key] > most:
            raise Refusal(45009, "reach max api daily quota limit")

    def keep(self) -> None:
        """Write everything down, where there is a file."""
        if self.path is None:
            return
        state = {name: value for name, value in asdict(self).items() if name not in ("path", "calls")}
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        scratch.replace(self.path)

    @classmethod
    def open(cls, path: Path | None) -> World:
        """The world in ``path``; a new one where there is none."""
        world = cls(path)
        if path is None:
            return world
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for name, value in json.loads(path.read_text(encoding="utf-8")).items():
                setattr(world, name, value)
            world.officials = {k: Official(**v) for k, v in world.officials.items()}  # type: ignore[arg-type]
            world.citizens = {k: Citizen(**v) for k, v in world.citizens.items()}  # type: ignore[arg-type]
            world.tokens = {k: Token(**v) for k, v in world.tokens.items()}  # type: ignore[arg-type]
        return world


def new_official(name: str, **given: Any) -> Official:
    """An account with keys of its own; ``given`` wins."""
    made = {
        "app": "wx" + secrets.token_hex(8),
        "secret": secrets.token_hex(16),
        "gh": "gh_" + secrets.token_hex(6),
        "token": secrets.token_hex(8),
        "aes_key": base64.b64encode(secrets.token_bytes(32)).decode()[:43],
    }
    return Official(**{**made, "name": name, **given})
