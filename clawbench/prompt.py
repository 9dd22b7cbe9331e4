"""What an agent is told before its first turn: who the user is, then the pack, each in a section of its own."""

from __future__ import annotations

from collections.abc import Sequence

from .pack import Pack


def system_prompt(pack: Pack, context: str, workspace: Sequence[tuple[str, str]]) -> str:
    """The system message of a run.

    ``context`` is the identity block (empty for public scenarios) and ``workspace`` the user's own files, as
    (name, rendered text): both come first, so a pack cannot pass itself off as them. The pack's files follow
    as they are, AGENTS.md first; nothing in them is rendered.
    """
    parts = [context.strip()] if context.strip() else []
    parts += [_section(name, text) for name, text in workspace]
    parts.append(pack.files["AGENTS.md"].strip())
    parts += [_section(name, pack.files[name]) for name in sorted(pack.files) if name != "AGENTS.md"]
    if pack.approval_gates:
        parts.append("# Approval gates\n\nThe user is asked before: " + ", ".join(pack.approval_gates) + ".")
    spoken = [rule for rule in pack.stop_rules if isinstance(rule, str)]
    if spoken:
        parts.append("# Stop rules\n\n" + "\n".join(f"- {rule}" for rule in spoken))
    return "\n\n---\n\n".join(parts) + "\n"


def _section(name: str, text: str) -> str:
    return f"# {name}\n\n{text.strip()}"
