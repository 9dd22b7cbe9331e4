"""Integer arithmetic of ``$((…))``: 64 bits, as a shell has it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(?:\$?\{?([A-Za-z_][A-Za-z0-9_]*)\}?|(\d{1,18})|([-+*/%()!]|[<>=!]=|[<>]|&&|\|\|))", re.ASCII)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_MAX_TOKENS = 200


def tokens(text: str) -> tuple[str, ...] | None:
    """The tokens of an expression, or None if something in it is not supported."""
    found: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(found) >= _MAX_TOKENS:
            return None
        token = match[1] or match[2] or match[3]
        if token == "!" and text.startswith("=", match.end()):
            token, at = "!=", match.end() + 1
        else:
            at = match.end()
        found.append(token)
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0 or depth > 20:
            return None
    return tuple(found) if found and not depth else None


def value(expression: tuple[str, ...], variables: Mapping[str, str]) -> int | None:
    """What the expression comes to; None if it divides by zero or has no meaning."""
    reader = _Reader(expression, variables)
    try:
        result = reader.level(0)
    except (ArithmeticError, IndexError, ValueError):
        return None
    return result if reader.at == len(expression) else None


class _Reader:
    def __init__(self, expression: tuple[str, ...], variables: Mapping[str, str]) -> None:
        self.expression = expression
        self.variables = variables
        self.at = 0

    def level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self.operand()
        left = self.level(level + 1)
        while self.at < len(self.expression) and self.expression[self.at] in _LEVELS[level]:
            operator = self.expression[self.at]
            self.at += 1
            left = _wrapped(_applied(operator, left, self.level(level + 1)))
        return left

    def operand(self) -> int:
        sign, negated = 1, False
        while (token := self.expression[self.at]) in ("-", "+", "!"):
            self.at += 1
            sign, negated = (-sign if token == "-" else sign), (not negated if token == "!" else negated)
        self.at += 1
        if token == "(":
            number = self.level(0)
            if self.expression[self.at] != ")":
                raise ValueError(token)
            self.at += 1
        elif token[0].isdigit():
            number = int(token, 10)
        else:
            text = self.variables.get(token, "").strip() or "0"
            if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
                raise ValueError(token)
            number = int(text)
        return _wrapped(sign * (int(not number) if negated else number))


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _applied(operator: str, left: int, right: int) -> int:
    if operator in "/%":
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    return {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "<": int(left < right),
        ">": int(left > right),
        "<=": int(left <= right),
        ">=": int(left >= right),
        "==": int(left == right),
        "!=": int(left != right),
        "&&": int(bool(left) and bool(right)),
        "||": int(bool(left) or bool(right)),
    }[operator]
