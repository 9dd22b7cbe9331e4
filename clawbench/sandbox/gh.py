"""The code host's program: ``gh`` over the world's pull requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..world import Record
from . import pulls
from .agenda import refs_of
from .lines import Line, array_lines, fragment, plain_text, text_lines
from .options import Grammar, Options, shown, spellings
from .shell import files
from .shell.command import Invocation, Output, failure
from .shell.jq import jq
from .shell.limits import Meter
from .shell.streams import Call
from .state import MAX_WRITTEN, State

_GRAMMAR = Grammar(
    valued=spellings(
        repo="-R --repo",
        state="-s --state",
        json="--json",
        jq="-q --jq",
        limit="-L --limit",
        author="-A --author",
        assignee="-a --assignee",
        label="-l --label",
        base="-B --base",
        branch="-H --head",
        search="-S --search",
        title="-t --title",
        body="-b --body",
        file="-F --body-file",
        reason="--reason --subject --match-head-commit",
    ),
    flags=spellings(
        comments="-c --comments --comment",
        merge="-m --merge",
        squash="--squash",
        rebase="--rebase",
        ignored="-d --delete-branch --auto --admin --web -w --fill -f --draft --watch --required --yes",
        approve="--approve",
        request="-r --request-changes",
        help="--help -h",
    ),
)
_USAGE = (
    "gh pr list [--state open|merged|closed|all] [--search TEXT] [--author A] [--json FIELDS] [--limit N]",
    "gh pr view N [--comments] [--json FIELDS] | checks N | status",
    "gh pr merge N | comment N --body TEXT | review N --approve | close N | create --title T --body TEXT",
    "gh issue list | view N | create --title T --body TEXT | comment N --body TEXT | close N",
    "gh repo view",
)
_STATES = ("open", "closed", "merged", "all")

Handler = Callable[[Invocation, Options, Sequence[str]], Output]


def gh(invocation: Invocation) -> Output:
    """Runs one ``gh`` command line."""
    options = _GRAMMAR.parse(invocation.argv[1:])
    if isinstance(options, str):
        return failure(f"gh: {options}", 2)
    if len(options.words) < 2 or "help" in options.flags:
        return Output(tuple(Line(row) for row in _USAGE), exit=0 if "help" in options.flags else 2)
    handler = _COMMANDS.get((options.words[0], options.words[1]))
    if handler is None:
        command = " ".join(options.words[:2])
        return Output(exit=1, errors=(f"gh: unknown command {shown(command)}", *_USAGE))
    return handler(invocation, options, options.words[2:])


def _of(state: State, issue: bool) -> tuple[list[Record], str]:
    """Where the records are, and what they are called."""
    return (state.issues, "issue") if issue else (state.pulls, "pull request")


# Reading.


def _list(issue: bool) -> Handler:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        records, noun = _of(state, issue)
        wanted = options.last("state", "open").lower()
        if wanted not in _STATES:
            return failure(f"gh: invalid argument {shown(wanted)} for --state: {', '.join(_STATES)}", 2)
        limit = options.last("limit", "30")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 7 and int(limit) > 0):
            return failure(f"gh: invalid limit {shown(limit)}", 2)
        found = [record for record in records if _fits(state, record, wanted, options)][: int(limit)]
        if options.values.get("json"):
            return _as_json(invocation, options, found, many=True)
        if not found:
            return failure(f"no {noun}s match your search in {pulls.repository(state)}", 0)
        return Output(tuple(_row(record) for record in found))

    return run


def _fits(state: State, record: Record, wanted: str, options: Options) -> bool:
    data = record.data
    if wanted != "all" and pulls.state_of(record) != wanted:
        return False
    for name in ("author", "base", "branch"):
        given = options.last(name)
        if given and str(data.get(name, "")).lower() != given.lstrip("@").lower():
            return False
    labels = [str(label).lower() for label in data.get("labels") or ()]
    if any(label.lower() not in labels for label in options.all("label")):
        return False
    words = [word for word in options.last("search").lower().split() if ":" not in word]
    return not words or all(word in state.index.once(record, pulls.search_text) for word in words)


def _row(record: Record) -> Line:
    data = record.data
    cells = (
        data.get("number"),
        data.get("title"),
        data.get("branch"),
        pulls.state_of(record).upper(),
        data.get("created"),
    )
    return Line("\t".join(" ".join(str(cell or "").split()) for cell in cells), refs_of(record))


def _view(issue: bool) -> Handler:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        record = _named(state, issue, words)
        if isinstance(record, str):
            return failure(record)
        if options.values.get("json"):
            return _as_json(invocation, options, [record], many=False)
        fields = pulls.field_values(record, pulls.repository(state))
        refs = refs_of(record)
        rows = [
            ("title", fields["title"]),
            ("state", fields["state"]),
            ("author", fields["author"]["login"]),
            ("labels", ", ".join(label["name"] for label in fields["labels"])),
            ("number", fields["number"]),
            ("url", fields["url"]),
            ("branch", fields["headRefName"]),
            ("created", fields["createdAt"]),
            ("merged", fields["mergedAt"]),
            (
                "checks",
                "; ".join(f"{name}: {result}" if result else name for name, result in pulls.checks_of(record)),
            ),
        ]
        lines = [Line(f"{name}:\t{' '.join(str(value).split())}", refs) for name, value in rows if value]
        lines += [Line("--"), *text_lines(str(fields["body"] or ""), refs)]
        if "comments" in options.flags:
            for comment in fields["comments"]:
                lines += [Line("--"), *text_lines(_comment_text(comment), refs)]
        return Output(tuple(lines))

    return run


def _comment_text(comment: Any) -> str:
    if isinstance(comment, dict):
        return f"{comment.get('author', '')}: {comment.get('body', '')}"
    return str(comment)


def _as_json(invocation: Invocation, options: Options, records: Sequence[Record], many: bool) -> Output:
    names = [name.strip() for value in options.all("json") for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in pulls.FIELD_NAMES]
    if unknown or not names:
        wrong = f'Unknown JSON field: "{unknown[0][:60]}"' if unknown else "Specify one or more fields for --json"
        return Output(exit=1, errors=(wrong, "Available fields:", *(f"  {name}" for name in pulls.FIELD_NAMES)))
    repository = pulls.repository(invocation.state)
    fragments = []
    for record in records:
        values = pulls.field_values(record, repository)
        fragments.append(fragment({name: values[name] for name in names}, refs_of(record), 2 if many else 0))
    lines = array_lines(fragments) if many else list(fragments[0])
    if options.values.get("jq"):
        return _filtered(invocation, options.last("jq"), lines)
    return Output(tuple(lines))


def _checks(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    record = _named(invocation.state, False, words)
    if isinstance(record, str):
        return failure(record)
    checks = pulls.checks_of(record)
    if not checks:
        return failure(f"no checks reported on the {shown(str(record.data.get('branch', '')))} branch")
    failing = any(word in result.lower() for _, result in checks for word in ("fail", "error"))
    lines = [Line("\t".join(" ".join(cell.split()) for cell in check), refs_of(record)) for check in checks]
    return Output(tuple(lines), exit=int(failing))


def _status(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    state = invocation.state
    own = state.world.identity.get("USER_HANDLE", "").lower()
    opened = [record for record in state.pulls if pulls.state_of(record) == "open"]
    mine = [record for record in opened if own and str(record.data.get("author", "")).lower() == own]
    others = [record for record in opened if record not in mine]
    lines = [Line(f"Relevant pull requests in {pulls.repository(state)}")]
    for title, records in (("Created by you", mine), ("Open", others)):
        lines += [Line(""), Line(title), *(map(_row, records) if records else [Line("  none")])]
    return Output(tuple(lines))


def _repo(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    name = pulls.repository(invocation.state)
    if options.values.get("json"):
        owner, _, short = name.partition("/")
        entry = {
            "nameWithOwner": name,
            "name": short,
            "owner": {"login": owner},
            "url": f"https://github.com/{name}",
        }
        return Output(fragment(entry))
    return Output((Line(f"name:\t{name}"), Line("description:\t")))


# Changing.


def _named(state: State, issue: bool, words: Sequence[str]) -> Record | str:
    records, noun = _of(state, issue)
    if not words:
        return f"gh: which {noun}? give its number"
    found = pulls.find(records, words[0])
    return found or f"gh: no {noun} found for {shown(words[0])} in {pulls.repository(state)}"


def _changed(
    invocation: Invocation,
    issue: bool,
    words: Sequence[str],
    kind: str,
    text: str,
    edit: Callable[[dict[str, Any]], None],
    done: str,
) -> Output:
    state = invocation.state
    record = _named(state, issue, words)
    if isinstance(record, str):
        return failure(record)
    records, noun = _of(state, issue)
    if kind in ("code.merge", "code.close") and pulls.state_of(record) != "open":
        return failure(f"gh: {noun} #{pulls.number_of(record)} is already {pulls.state_of(record)}")
    if not pulls.change(state, records, record, kind, text, edit):
        return failure(state.refusal())
    return Output((Line(f"{done} {noun} {pulls.titled(record)}"),))


def _merge(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
    now = invocation.state.world.now.isoformat()
    how = next((how for how in ("squash", "rebase") if how in options.flags), "merge")
    return _changed(
        invocation,
        False,
        words,
        "code.merge",
        how,
        lambda data: data.update(state="merged", merged_at=now),
        "Merged",
    )


def _close(issue: bool) -> Handler:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        now = invocation.state.world.now.isoformat()

        def edit(data: dict[str, Any]) -> None:
            data.update(state="closed", closed_at=now)

        return _changed(invocation, issue, words, "code.close", "", edit, "Closed")

    return run


def _comment(issue: bool, review: bool = False) -> Handler:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        body = _body(invocation, options)
        if isinstance(body, Output):
            return body
        verdict = ""
        if review:
            verdict = "APPROVED" if "approve" in options.flags else "COMMENTED"
            verdict = "CHANGES_REQUESTED" if "request" in options.flags else verdict
        if not body.strip() and verdict in ("", "COMMENTED"):
            return failure("gh: nothing was written: give a text with --body")
        author = invocation.state.world.identity.get("USER_HANDLE", "me")

        def edit(data: dict[str, Any]) -> None:
            key = "reviews" if review else "comments"
            entry = {"author": author, "body": body, **({"state": verdict} if review else {})}
            before = data.get(key)
            data[key] = [*(before if isinstance(before, (list, tuple)) else ()), entry]

        text = f"{verdict} {body}".strip()
        return _changed(invocation, issue, words, "code.comment", text, edit, "Reviewed" if review else "Commented on")

    return run


def _create(issue: bool) -> Handler:
    def run(invocation: Invocation, options: Options, words: Sequence[str]) -> Output:
        state = invocation.state
        body = _body(invocation, options)
        if isinstance(body, Output):
            return body
        title = options.last("title")[:998]
        if not title.strip():
            return failure("gh: nothing was created: give a title with --title")
        records, _ = _of(state, issue)
        record = pulls.create(state, records, title, body, options.last("branch"))
        if record is None:
            return failure(state.refusal())
        path = "issues" if issue else "pull"
        return Output((Line(f"https://github.com/{pulls.repository(state)}/{path}/{record.data['number']}"),))

    return run


def _body(invocation: Invocation, options: Options) -> str | Output:
    """The text given by ``--body`` or ``--body-file``; ``-`` is standard input."""
    path = options.last("file")
    if not path:
        return options.last("body")[:MAX_WRITTEN]
    if path == "-":
        return plain_text(invocation.stdin or ())[:MAX_WRITTEN]
    lines = files.contents(invocation.state, files.key_of(path, invocation.variables))
    return plain_text(lines)[:MAX_WRITTEN] if lines is not None else failure(f"gh: open {shown(path)}: no such file")


def _filtered(invocation: Invocation, expression: str, lines: Sequence[Line]) -> Output:
    """``--jq``: what the shell's jq makes of the lines, at the cost of the same call."""
    meter = invocation.meter if isinstance(invocation, Call) else Meter()
    return jq(Call(["jq", "-r", expression], lines, invocation.state, invocation.variables, meter))


_COMMANDS: dict[tuple[str, str], Handler] = {
    ("pr", "list"): _list(issue=False),
    ("pr", "view"): _view(issue=False),
    ("pr", "checks"): _checks,
    ("pr", "status"): _status,
    ("pr", "merge"): _merge,
    ("pr", "comment"): _comment(issue=False),
    ("pr", "review"): _comment(issue=False, review=True),
    ("pr", "close"): _close(issue=False),
    ("pr", "create"): _create(issue=False),
    ("issue", "list"): _list(issue=True),
    ("issue", "view"): _view(issue=True),
    ("issue", "create"): _create(issue=True),
    ("issue", "comment"): _comment(issue=True),
    ("issue", "close"): _close(issue=True),
    ("repo", "view"): _repo,
}
