"""The shell's own small commands: ``echo``, ``printf``, ``pwd``, ``seq``, ``test``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import files
from .command import Output, failure
from .limits import MAX_LINES, grown
from .streams import Call, lines_of, made, records_of_words
from .words import HOME, unescaped

MAX_WIDTH = 1000
"""The widest field, and the most decimals, that ``printf`` makes."""

_INTEGER = re.compile(r"\s*([-+]?)(0[xX][0-9a-fA-F]{1,15}|[0-9]{1,18})\s*")
_DIRECTIVE = re.compile(r"%(%|([-+ 0#]*)(\*|[0-9]*)(?:\.(\*|[0-9]*))?([sdiuxXofFeEgGcbq]))|([^%]+)", re.S)


def echo(call: Call) -> Output:
    """``echo [-neE] [WORD…]``."""
    words = list(call.argv[1:])
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        for letter in words.pop(0)[1:]:
            newline = newline and letter != "n"
            escapes = letter == "e" if letter in "eE" else escapes
    text = " ".join(words)
    if escapes:
        text, stop, _ = text.partition("\\c")
        text = unescaped(text)
        newline = newline and not stop
    return Output(lines_of(text + "\n" if newline else text, records_of_words(words)))


def printf(call: Call) -> Output:
    """``printf FORMAT [ARGUMENT…]``; the format is used again until every argument is."""
    argv = list(call.argv[1:])
    if argv[:1] == ["--"]:
        del argv[0]
    if not argv:
        return failure("printf: usage: printf format [arguments]", 2)
    form, arguments = argv[0], list[str](argv[1:])
    pieces = list(_DIRECTIVE.finditer(form))
    if sum(len(piece[0]) for piece in pieces) != len(form):
        return failure("printf: this format is not supported")
    taking = any(piece[5] for piece in pieces)
    out: list[str] = []
    errors: list[str] = []
    at = size = turns = 0
    while True:
        for piece in pieces:
            if piece[6]:
                text = unescaped(piece[6])
            elif piece[1] == "%":
                text = "%"
            else:
                numbers = []
                for star in (piece[3], piece[4]):
                    if star == "*":
                        star = arguments[at] if at < len(arguments) else "0"
                        at += 1
                    numbers.append(min(int(star), MAX_WIDTH) if star and re.fullmatch("[0-9]+", star[:9]) else None)
                argument = arguments[at] if at < len(arguments) else ""
                at += 1
                precision = 0 if piece[4] == "" else numbers[1]
                text, problem = _formatted(piece[5], piece[2], numbers[0] or 0, precision, argument)
                if problem:
                    errors.append(f"printf: {argument[:80]}: invalid number")
            size += len(text)
            grown(size)
            out.append(text)
        turns += 1
        call.meter.spend(len(pieces))
        if at >= len(arguments) or not taking or turns >= MAX_LINES:
            break
    lines = lines_of("".join(out), records_of_words(argv))
    return Output(lines, 1 if errors else 0, errors[:10])


def _formatted(kind: str, flags: str, width: int, precision: int | None, argument: str) -> tuple[str, bool]:
    problem = False
    if kind in "sbcq":
        text = unescaped(argument) if kind == "b" else argument[:1] if kind == "c" else str(argument)
        if kind == "q" and not re.fullmatch(r"[\w@%+=:,./-]+", text):
            text = "'" + text.replace("'", "'\\''") + "'"
        text = text if precision is None else text[:precision]
    elif kind in "diuxXo":
        match = _INTEGER.fullmatch(argument or "0")
        if match:
            number = int(match[2], 16 if match[2][:2] in ("0x", "0X") else 10) * (-1 if match[1] == "-" else 1)
        else:
            number, problem = ord(argument[1]) if argument[:1] in ("'", '"') and argument[1:2] else 0, True
        text = format(abs(number), {"x": "x", "X": "X", "o": "o"}.get(kind, "d")).rjust(precision or 0, "0")
        text = ("-" if number < 0 else "+" if "+" in flags else " " if " " in flags else "") + text
    else:
        match = re.fullmatch(
            r"\s*[-+]?([0-9]{1,18}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][-+]?[0-9]{1,2})?\s*", argument or "0"
        )
        problem = match is None
        text = format(float(match[0]) if match else 0.0, f".{min(6 if precision is None else precision, 50)}{kind}")
        text = ("+" if "+" in flags and text[0] != "-" else "") + text
    if "-" in flags:
        return text.ljust(width), problem
    if "0" in flags and kind not in "sbcq":
        return text.zfill(width), problem
    return text.rjust(width), problem


def true(call: Call) -> Output:
    """``true``, and ``:``."""
    return Output()


def false(call: Call) -> Output:
    """``false``."""
    return Output(exit=1)


def pwd(call: Call) -> Output:
    """``pwd``."""
    return Output([made(call.variables.get("PWD", HOME))])


def seq(call: Call) -> Output:
    """``seq [FIRST [STEP]] LAST``."""
    words = call.argv[1:]
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"-?[0-9]{1,9}", word) for word in words):
        return failure("seq: needs one to three whole numbers")
    numbers = [int(word) for word in words]
    first, step, last = (
        (numbers[0] if len(numbers) > 1 else 1),
        (numbers[1] if len(numbers) > 2 else 1),
        numbers[-1],
    )
    if step == 0 or abs(last - first) // abs(step) >= MAX_LINES:
        return failure("seq: too many numbers")
    return Output([made(str(number)) for number in range(first, last + (1 if step > 0 else -1), step)])


def test(call: Call) -> Output:
    """``test EXPRESSION`` and ``[ EXPRESSION ]``: strings, whole numbers, files, ``!``, ``-a``, ``-o``."""
    words = list(call.argv[1:])
    if call.argv[0] == "[":
        if words[-1:] != ["]"]:
            return failure("sh: [: missing `]'", 2)
        words.pop()
    result = _either(call, words)
    if result is None:
        return failure(f"sh: {call.argv[0]}: this expression is not supported", 2)
    return Output(exit=0 if result else 1)


def _either(call: Call, words: Sequence[str]) -> bool | None:
    if len(words) > 4 and len(words) < 64:
        for joiner in ("-o", "-a"):
            for at in range(1, len(words) - 1):
                if words[at] == joiner:
                    left, right = _either(call, words[:at]), _either(call, words[at + 1 :])
                    if left is None or right is None:
                        return None
                    return left or right if joiner == "-o" else left and right
    return _holds(call, words)


def _holds(call: Call, words: Sequence[str]) -> bool | None:
    if not words:
        return False
    if len(words) == 1:
        return words[0] != ""
    if words[0] == "!" and len(words) <= 4:
        inner = _holds(call, words[1:])
        return None if inner is None else not inner
    if len(words) == 2:
        operator, operand = words
        if operator in ("-n", "-z"):
            return (operand != "") == (operator == "-n")
        path = files.key_of(operand, call.variables)
        lines = files.contents(call.state, path)
        folder = files.is_directory(call.state, operand, call.variables)
        answers = {
            "-f": lines is not None,
            "-d": folder,
            "-e": lines is not None or folder,
            "-s": bool(lines),
            "-r": lines is not None,
        }
        return answers.get(operator)
    if len(words) != 3:
        return None
    left, operator, right = words
    if operator in ("=", "==", "!="):
        return (left == right) == (operator != "!=")
    numbers = [int(word) if re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", word) else None for word in (left, right)]
    if numbers[0] is None or numbers[1] is None:
        return None
    difference = numbers[0] - numbers[1]
    compared = {"-eq": difference == 0, "-ne": difference != 0, "-lt": difference < 0}
    compared |= {"-le": difference <= 0, "-gt": difference > 0, "-ge": difference >= 0}
    return compared.get(operator)
