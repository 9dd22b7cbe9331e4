"""Which functions of the sources write to a disk, start a program, or speak to a network: by their syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_OF = {
    "os": {"fsync", "link", "makedirs", "mkdir", "remove", "rename", "replace", "rmdir", "sync", "truncate", "unlink"}
    | {"write"},
    "shutil": {"copy", "copyfile", "copytree", "move", "rmtree"},
    "tempfile": {"mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory"},
    "subprocess": {"Popen", "call", "check_call", "check_output", "run"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell", "open_connection"},
    "httpx": {"AsyncClient", "Client", "get", "post", "stream"},
    "sqlite3": {"connect"},
}
"""Functions of modules that do."""
_ANYWHERE = {"hardlink_to", "mkdir", "symlink_to", "touch", "unlink", "write_bytes", "write_text"}
"""Methods that do, whatever they are called on: those of paths."""


def writing(packages: tuple[str, ...] = ("clawbench", "trajectoryrl")) -> dict[str, dict[str, bool]]:
    """By module, every function that writes or asks, and whether it names a point itself."""
    found: dict[str, dict[str, bool]] = {}
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            functions = dict(_in(ast.parse(path.read_text()), ""))
            if functions:
                found[path.relative_to(ROOT).as_posix()] = functions
    return found


def _in(node: ast.AST, where: str) -> Iterator[tuple[str, bool]]:
    """The functions in ``node``, the innermost ones, that write, and whether they name a point."""
    own = list(_own(node))
    if any(map(_writes, own)):
        yield where or "(module)", any(map(_reaches, own))
    for inner in _scopes(node):
        yield from _in(inner, f"{where}.{getattr(inner, 'name', '')}".lstrip("."))


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in ``node`` and in no function or class inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield child
            yield from _own(child)


def _scopes(node: ast.AST) -> list[ast.AST]:
    """The functions and classes that stand directly in ``node``."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        found += [child] if isinstance(child, _SCOPES) else _scopes(child)
    return found


def _reaches(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name in {"reach", "at"}


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):  # called, or handed to a thread
        return node.attr in _OF.get(node.value.id, ())
    if not isinstance(node, ast.Call):
        return False
    words = [one.value for one in (*node.args, *(key.value for key in node.keywords)) if isinstance(one, ast.Constant)]
    mode = any(isinstance(word, str) and word in {"w", "a", "x", "wb", "ab", "xb", "r+b"} for word in words)
    function = node.func
    if isinstance(function, ast.Name):
        return function.id == "open" and mode
    if not isinstance(function, ast.Attribute):
        return False
    name, on = function.attr, ast.unparse(function.value)
    if name == "open" and on == "os":
        return any(flag in ast.unparse(node) for flag in ("O_CREAT", "O_WRONLY", "O_RDWR"))
    moves = name in {"rename", "replace"} and len(node.args) == 1 and not node.keywords  # text.replace takes two
    return name in _ANYWHERE or moves or (name in {"open", "fdopen"} and mode)
