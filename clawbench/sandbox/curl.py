"""``curl`` against the two web services there are; any other host cannot be resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

from .gcalapi import google_calendar
from .lines import Line, plain_text
from .notion import notion
from .options import Grammar, Options, shown, spellings
from .rest import Request, Response
from .shell import files
from .shell.command import Invocation, Output, failure
from .state import State

_DATA = ("data", "raw", "binary", "json", "form")
_GRAMMAR = Grammar(
    valued=spellings(
        method="-X --request",
        data="-d --data --data-ascii",
        raw="--data-raw",
        binary="--data-binary",
        form="--data-urlencode",
        json="--json",
        header="-H --header",
        file="-o --output",
        format="-w --write-out",
        url="--url",
        ignored="-m --max-time --connect-timeout --retry --retry-delay --retry-max-time -A --user-agent -u"
        " --user -b --cookie -c --cookie-jar -e --referer --oauth2-bearer --cacert --ciphers --max-redirs"
        " -D --dump-header",
    ),
    flags=spellings(
        silent="-s --silent",
        errors="-S --show-error",
        fail="-f --fail --fail-with-body",
        get="-G --get",
        head="-I --head",
        include="-i --include",
        ignored="-L --location -k --insecure -v --verbose -g --globoff -N --no-buffer --compressed --http1.1"
        " --http2 --http3 -4 -6 --tlsv1.2 --tlsv1.3 --progress-bar -# --no-progress-meter --location-trusted"
        " --path-as-is",
    ),
)

Service = Callable[[Request, State], Response]

_NOTION_HOSTS = ("notion.com", "notion.so")
_GOOGLE_HOSTS = ("www.googleapis.com", "googleapis.com", "calendar.googleapis.com")
_REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_MAX_URLS = 20
_MAX_FIELDS = 200
_CACHED_URL = 1000


class _Failure(Exception):
    """What ends curl before an answer came: its exit code and message."""

    def __init__(self, exit: int, message: str) -> None:
        super().__init__(exit, message)
        self.exit = exit
        self.message = message


def curl(invocation: Invocation) -> Output:
    """Runs one ``curl`` command line."""
    options = _GRAMMAR.parse(invocation.argv[1:])
    if isinstance(options, str):
        return failure(f"curl: {options}", 2)
    urls = [*options.words, *options.all("url")]
    if not urls:
        return failure("curl: (2) no URL specified", 2)
    if len(urls) > _MAX_URLS:
        return failure(f"curl: (2) more than {_MAX_URLS} URLs", 2)
    lines: list[Line] = []
    try:
        data = _data(invocation, options)
        for url in urls:
            lines += _fetched(invocation, options, url, data)
    except _Failure as ended:
        # what the user or the policy prevented reads the same from every program
        message = ended.message if ended.exit == 1 else f"curl: ({ended.exit}) {ended.message}"
        quiet = "silent" in options.flags and "errors" not in options.flags
        return Output(tuple(lines), ended.exit, () if quiet and ended.exit == 22 else (message,))
    return Output(tuple(lines))


def _fetched(invocation: Invocation, options: Options, url: str, data: str | None) -> Sequence[Line]:
    """What one URL prints. Raises _Failure."""
    flags = options.flags
    as_query = "get" in flags
    method = options.last("method").upper()
    if not method:
        method = "HEAD" if "head" in flags else "POST" if data is not None and not as_query else "GET"
    if method not in _METHODS:
        raise _Failure(2, f"unknown method {shown(method)}")
    service, request = _request(url, method, data or "", as_query)
    response = service(request, invocation.state)
    if response.refusal:
        raise _Failure(1, response.refusal)
    if "fail" in flags and response.status >= 400:
        raise _Failure(22, f"The requested URL returned error: {response.status}")
    body = list(response.lines) if method != "HEAD" else []
    if "include" in flags or method == "HEAD":
        reason = _REASONS.get(response.status, "")
        body = [
            Line(f"HTTP/2 {response.status} {reason}".rstrip()),
            Line("content-type: application/json"),
            Line(""),
            *body,
        ]
    path = options.last("file")
    if path and path not in ("-", "/dev/stdout"):
        if path != "/dev/null":
            target = files.opened(invocation.state, path, invocation.variables, append=False)
            if isinstance(target, str):
                raise _Failure(23, f"Failure writing output to {shown(path)}: {target}")
            target.extend(body)
        body = []
    return [*body, *_written_out(options.last("format"), response.status, url)]


def _written_out(form: str, status: int, url: str) -> list[Line]:
    """``-w '%{http_code}'``."""
    if not form:
        return []
    text = form.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "")
    for name, value in (("http_code", str(status)), ("response_code", str(status)), ("url_effective", url)):
        text = text.replace("%{" + name + "}", value)
    return [Line(row) for row in text.strip("\n").split("\n")]


def _request(url: str, method: str, data: str, as_query: bool) -> tuple[Service, Request]:
    """The service that a URL reaches, and the request it gets. Raises _Failure."""
    service, path, query = (_located if len(url) <= _CACHED_URL else _located.__wrapped__)(url)
    if as_query and data:
        query = {**query, **_fields(data)}
        data = ""
    return service, Request(method, path, query, data)


@lru_cache(maxsize=512)
def _located(url: str) -> tuple[Service, tuple[str, ...], Mapping[str, str]]:
    """The service, decoded path segments and query fields of a URL. Raises _Failure."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = (parts.hostname or "").lower().rstrip(".")
        query = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise _Failure(3, f"URL using bad/illegal format: {shown(url)}") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise _Failure(1, f"curl: (1) Protocol {shown(parts.scheme)} not supported")
    path = tuple(unquote(part) for part in parts.path.split("/") if part)
    if host in _NOTION_HOSTS or host.endswith(tuple("." + name for name in _NOTION_HOSTS)):
        return notion, path, query
    if host in _GOOGLE_HOSTS:
        return google_calendar, path, query
    raise _Failure(6, f"Could not resolve host: {host[:100]}")


def _fields(data: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(data, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise _Failure(2, f"more than {_MAX_FIELDS} fields") from error


def _data(invocation: Invocation, options: Options) -> str | None:
    """The body that the data options make up, joined by ``&`` as curl does; None without any."""
    parts: list[str] = []
    for kind in _DATA:
        for value in options.all(kind):
            if kind == "form":
                parts.append(_encoded(invocation, value))
            elif value.startswith("@") and kind != "raw":
                text = _file(invocation, value[1:])
                parts.append(text if kind != "data" else text.replace("\n", "").replace("\r", ""))
            else:
                parts.append(value)
    if not parts:
        return None
    return ("" if options.values.get("json") else "&").join(parts)


def _encoded(invocation: Invocation, value: str) -> str:
    """``--data-urlencode``: ``content``, ``=content``, ``name=content``, ``@file``, ``name@file``."""
    name, equals, content = value.partition("=")
    if not equals and "@" in value:
        name, _, path = value.partition("@")
        content = _file(invocation, path)
    elif not equals:
        return quote_plus(value)
    encoded = quote_plus(content)
    return f"{name}={encoded}" if name else encoded


def _file(invocation: Invocation, path: str) -> str:
    if path in ("-", "/dev/stdin"):
        return plain_text(invocation.stdin or ())
    lines = files.contents(invocation.state, files.key_of(path, invocation.variables))
    if lines is None:
        raise _Failure(26, f"Failed to open {shown(path)}")
    return plain_text(lines)
