"""The shell's own commands by name. Each is a function: no way leads from here to a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import awk, builtins, dates, files, filters, grep, rewriting, sed
from .command import Output
from .jq import jq
from .streams import Call

COMMANDS: Mapping[str, Callable[[Call], Output]] = {
    ":": builtins.true,
    "[": builtins.test,
    "awk": awk.awk,
    "cat": filters.cat,
    "column": rewriting.column,
    "cut": rewriting.cut,
    "date": dates.date,
    "echo": builtins.echo,
    "egrep": grep.grep,
    "false": builtins.false,
    "fgrep": grep.grep,
    "grep": grep.grep,
    "head": filters.head,
    "jq": jq,
    "ls": files.ls,
    "nl": filters.nl,
    "printf": builtins.printf,
    "pwd": builtins.pwd,
    "rev": rewriting.rev,
    "sed": sed.sed,
    "seq": builtins.seq,
    "sort": filters.sort,
    "tac": filters.tac,
    "tail": filters.tail,
    "tee": filters.tee,
    "test": builtins.test,
    "tr": rewriting.tr,
    "true": builtins.true,
    "uniq": filters.uniq,
    "wc": rewriting.wc,
}
