"""Every error as a page, a toast or problem+json: in words, never a stack trace."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.errors import HubError, Stale
from hub.i18n import _, said
from web import csrf
from web.api.problems import Problem, answer, problem_of
from web.auth import local_path
from web.faults import Forged, PasswordChangeNeeded, SignInNeeded, TokenNeeded, TooMany
from web.request import is_fragment, wants_json
from web.templating import redirect, render


async def on_hub_error(request: Request, error: Exception) -> Response:
    """Tell a refusal of the house."""
    assert isinstance(error, HubError)
    if not wants_json(request) and isinstance(error, SignInNeeded) and not _from_script(request):
        return _to_sign_in(request)
    if not wants_json(request) and isinstance(error, PasswordChangeNeeded):
        return redirect(request, "/me/password", str(error))
    response = await _told(request, error)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.wait)
    if isinstance(error, TokenNeeded):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def _told(request: Request, error: HubError) -> Response:
    heading = _("页面已过期") if isinstance(error, Forged) else ""
    if wants_json(request):
        return answer(problem_of(error, heading or _heading(error.status)))
    return await tell(request, error.status, error.texts, stale=isinstance(error, Stale), heading=heading)


def _from_script(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _to_sign_in(request: Request) -> Response:
    """To the sign-in page and back here afterwards (a write is not repeated: back to the page it came from)."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in csrf.SAFE:
        return redirect(request, _sign_in_page(_came_from(request)), str(SignInNeeded()), kind="error")
    return RedirectResponse(_sign_in_page(here), 303)


def _sign_in_page(onward: str) -> str:
    wanted = local_path(onward)
    return "/login" if wanted == "/" else f"/login?{urlencode({'next': wanted})}"


def _came_from(request: Request) -> str:
    """The page of ours whose form was sent: what was typed there waits on the person's machine."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # half an IPv6 address
        return "/"
    if page.netloc != request.url.netloc:
        return "/"
    return page.path + (f"?{page.query}" if page.query else "")


async def on_http_error(request: Request, error: Exception) -> Response:
    """Tell what the framework refuses: no such page, wrong method, unreadable form."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404 and path.endswith("/") and request.method in csrf.SAFE and not wants_json(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(local_path(path.rstrip("/")) + query, 307)
    response = await tell(request, error.status_code, [_words(error.status_code)])
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _words(status: int) -> str:
    words = {
        400: _("提交的内容无法读取，请返回重试。"),
        404: _("没有这个页面，或者您无权查看。"),
        405: _("这个地址不支持这种操作。"),
        413: _("内容太大。"),
        415: _("不支持这种格式。"),
    }
    return words.get(status, _("请求没有办成（%(status)s）。", status=status))


async def crashed(request: Request, incident: str) -> Response:
    """A fault of the hub: an incident number that stands in the log, nothing of the cause."""
    words = [_("系统出错，没有办成。请把事件编号 %(number)s 告诉管理员。", number=incident)]
    return await tell(request, 500, words, incident=incident)


async def tell(
    request: Request, status: int, texts: list[str], *, stale: bool = False, incident: str = "", heading: str = ""
) -> Response:
    """The answer in the form the asker can read; ``heading``: instead of the one of the status."""
    texts, heading = [said(text) for text in texts], heading or _heading(status)
    if wants_json(request):
        return answer(Problem(title=heading, status=status, reasons=texts, incident=incident))
    if _from_script(request) or is_fragment(request):
        return _toast(status, texts)
    facts = {"status": status, "texts": texts, "heading": heading, "stale": stale, "incident": incident}
    return await render(request, "errors/error.html", facts, status)


def _heading(status: int) -> str:
    words = {
        400: _("看不懂这个请求"), 401: _("请先登录"), 403: _("没有权限"), 404: _("找不到"), 405: _("不支持的操作"),
        409: _("现在还不能这样做"), 413: _("内容太大"), 415: _("不支持这种格式"), 422: _("还有地方要改"),
        429: _("尝试太频繁"), 503: _("暂时不可用"),
    }  # fmt: skip
    return words.get(status, _("出错了") if status >= 500 else _("没有办成"))


def _toast(status: int, texts: list[str]) -> Response:
    """For htmx: the page stays as it is; 401 is told by the page script, which knows the way to the sign-in page."""
    response = Response(status_code=status, headers={"HX-Reswap": "none"})
    if status != 401:
        toast = {"text": texts[0] if len(texts) == 1 else _heading(status), "kind": "error"}
        response.headers["HX-Trigger"] = json.dumps({"toast": {**toast, "list": texts if len(texts) > 1 else []}})
    return response
