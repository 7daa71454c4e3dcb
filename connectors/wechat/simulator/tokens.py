"""Access tokens: two kinds that do not know each other, each with its overlap."""

from __future__ import annotations

import secrets
from typing import Any

from connectors.wechat.simulator.world import OVERLAP_SECONDS, Official, Refusal, Token, World

LIFE = 7200
FORCED_A_DAY, FORCED_APART = 20, 30


def plain(world: World, values: dict[str, Any]) -> dict[str, Any]:
    """``/token``: every call makes a new one; the one before lives on for five minutes."""
    official = _known(world, values)
    world.spend(official, "token")
    for token in _of(world, official, stable=False):
        token.ends_at = min(token.ends_at, world.now() + OVERLAP_SECONDS)
    return _answer(world, _new(world, official, stable=False))


def stable(world: World, values: dict[str, Any]) -> dict[str, Any]:
    """``/stable_token``: the same one until five minutes before its end, unless forced."""
    official = _known(world, values)
    standing = max(_of(world, official, stable=True), key=lambda token: token.ends_at, default=None)
    if values.get("force_refresh") is True:
        _forced(world, official)
        for token in _of(world, official, stable=True):
            token.ends_at = 0
    elif standing is not None and standing.ends_at - world.now() > OVERLAP_SECONDS:
        return _answer(world, standing)
    return _answer(world, _new(world, official, stable=True))


def holder(world: World, value: str) -> Official:
    """Whose token it is; :class:`Refusal` 41001, 40001, 42001 or 40164."""
    if not value:
        raise Refusal(41001, "access_token missing")
    token = world.tokens.get(value)
    if token is None or token.app not in world.officials or token.ends_at == 0:
        raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
    if token.ends_at <= world.now():
        raise Refusal(42001, "access_token expired")
    official = world.officials[token.app]
    if not official.listed_ip:
        raise Refusal(40164, "invalid ip 127.0.0.1, not in whitelist")
    return official


def _known(world: World, values: dict[str, Any]) -> Official:
    if values.get("grant_type") != "client_credential":
        raise Refusal(40002, "invalid grant_type")
    official = world.official(str(values.get("appid", "")))
    if not secrets.compare_digest(str(values.get("secret", "")).encode(), official.secret.encode()):
        raise Refusal(40125, "invalid appsecret")
    if not official.listed_ip:
        raise Refusal(40164, "invalid ip 127.0.0.1, not in whitelist")
    return official


def _forced(world: World, official: Official) -> None:
    today = [at for at in official.forced if world.now() - at < 24 * 3600]
    if len(today) >= FORCED_A_DAY:
        raise Refusal(45009, "reach max api daily quota limit")
    if today and world.now() - today[-1] < FORCED_APART:
        raise Refusal(45011, "api minute-quota reach limit, must slower, retry next minute")
    official.forced = [*today, world.now()]


def _of(world: World, official: Official, *, stable: bool) -> list[Token]:
    return [
        token
        for token in world.tokens.values()
        if token.app == official.app and token.stable is stable and token.ends_at > world.now()
    ]


def _new(world: World, official: Official, *, stable: bool) -> Token:
    value = f"{world.next()}_{secrets.token_urlsafe(96)}"
    world.tokens[value] = Token(value, official.app, world.now(), world.now() + LIFE, stable)
    return world.tokens[value]


def _answer(world: World, token: Token) -> dict[str, Any]:
    return {"access_token": token.value, "expires_in": int(token.ends_at - world.now())}
