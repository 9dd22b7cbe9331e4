"""What can become of a submission besides an entry: every code, what it means, whose doing it is, what to do.

The table of docs/miners.md is this one.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN = "yours"
NOBODY = "nobody's"


@dataclass(frozen=True, slots=True)
class Code:
    """A code and its explanation for a miner; ``doing`` is OWN (REJECTED) or NOBODY (PENDING)."""

    code: str
    doing: str
    means: str
    do: str


_PUSH_AGAIN = "push the right content and submit that commit"
_WAIT = "nothing: it is tried again until the window closes, and in the next epoch"

CODES: tuple[Code, ...] = (
    Code("COMMITMENT_FORMAT", OWN, "the text on chain is no submission", "`trajectoryrl miner submit` writes it"),
    Code("REPOSITORY_NAME", OWN, "the text names no possible owner/repo", "use GitHub's name of it"),
    Code("COMMIT_FORMAT", OWN, "the commit is not 40 lower-case hex digits", "`git rev-parse HEAD` prints it"),
    Code("HASH_FORMAT", OWN, "the pack hash is not 64 lower-case hex digits", "`clawbench pack hash` prints it"),
    Code("NOT_REGISTERED", OWN, "the hotkey has no place on the subnet", "register it"),
    Code("REPOSITORY_REPLACED", OWN, "the name belongs to another repository than before", "use a new name"),
    Code("COMMIT_MISSING", OWN, "the repository has no such commit", "push it, or submit one that is there"),
    Code(
        "NOT_ON_DEFAULT_BRANCH",
        OWN,
        "the default branch does not contain the commit",
        "push it there; never force-push it away",
    ),
    Code(
        "FILE_MISSING", OWN, "there is no pack.json in the commit's root", "`trajectoryrl miner publish` puts it there"
    ),
    Code("NOT_A_FILE", OWN, "pack.json is a link, a folder or a submodule", "commit a regular file"),
    Code("LFS_POINTER", OWN, "pack.json is kept by Git LFS", "commit the file itself"),
    Code("FILE_TOO_LARGE", OWN, "pack.json has more than 65,536 bytes", "make it smaller"),
    Code("REPOSITORY_TOO_LARGE", OWN, "the commit cannot be fetched within the limits", "use a repository of its own"),
    Code("BAD_OBJECTS", OWN, "what git was sent is broken or not what it claims", "make the repository anew"),
    Code(
        "PACK_INVALID",
        OWN,
        "pack.json breaks a rule of packs, named in the sentence",
        "`clawbench pack lint` tells all",
    ),
    Code(
        "HASH_MISMATCH", OWN, "pack.json has another hash than was committed", "submit the hash that `publish` printed"
    ),
    Code("HOTKEY_MISMATCH", OWN, "the pack names another hotkey, or none", "publish with the key that submits"),
    Code("PUSH_AFTER_COMMITMENT", OWN, "the push came more than 120 s after the commitment", "push first, then submit"),
    Code("DUPLICATE", OWN, "an earlier entry has the same content", "bring something of your own"),
    Code("GITHUB_UNAVAILABLE", NOBODY, "GitHub did not answer, or with an error", _WAIT),
    Code("GITHUB_RATE_LIMITED", NOBODY, "GitHub limits the validator's requests", _WAIT),
    Code("GITHUB_REFUSED", NOBODY, "GitHub refuses the validator (401, 403)", _WAIT),
    Code("GITHUB_REDIRECT", NOBODY, "GitHub points somewhere that is not followed", _WAIT),
    Code("GITHUB_ANSWER", NOBODY, "GitHub's answer makes no sense", _WAIT),
    Code("HOST_UNREACHABLE", NOBODY, "git could not reach the host", _WAIT),
    Code("FETCH_FAILED", NOBODY, "git could not be run by the validator", _WAIT),
    Code("REPOSITORY_TIMEOUT", NOBODY, "the fetch took longer than its limit", "keep the repository small"),
    Code("REPOSITORY_MOVED", NOBODY, "git was sent elsewhere", "submit under the new name"),
    Code("REPOSITORY_EMPTY", NOBODY, "the host shows no default branch", "push one"),
    Code("REPOSITORY_GONE", NOBODY, "there is no such public repository", "make it public before submitting"),
    Code(
        "REPOSITORY_NOT_PUBLIC",
        NOBODY,
        "private, or not there for 30 minutes",
        "make it public again; its time is kept",
    ),
    Code("REPOSITORY_BLOCKED", NOBODY, "GitHub may not show it (451)", "publish elsewhere and submit again"),
    Code(
        "PUSH_UNKNOWN", NOBODY, "GitHub shows no push of the commit yet", "wait; after 6 h the commitment's time counts"
    ),
    Code("CHAIN_UNAVAILABLE", NOBODY, "the chain did not tell the commitment's time", _WAIT),
    Code("VERIFY_FAILED", NOBODY, "the validator's verification failed", _WAIT),
    Code("VERIFY_WINDOW", NOBODY, "not verified when the window closed", _WAIT),
)
"""In the order in which they are looked for."""


def table() -> str:
    """The codes as Markdown tables: the miner's own doing first."""
    parts = []
    for doing, said in ((OWN, "REJECTED, the miner's own doing"), (NOBODY, "PENDING, nobody's fault")):
        lines = [f"**{said}**", "", "| Code | What it means | What to do |", "|---|---|---|"]
        lines += [f"| `{row.code}` | {row.means} | {row.do} |" for row in CODES if row.doing == doing]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def advice(code: str) -> str:
    """What to do about a code; nothing for one that is not in the table."""
    return next((row.do for row in CODES if row.code == code), "")
