"""YAML from strangers: what is read, and what is refused with line and column."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clawbench import yamlfile
from clawbench.errors import PackRejected, Problem, ScenarioInvalid


def refused(source: Path | str) -> ScenarioInvalid:
    with pytest.raises(ScenarioInvalid) as caught:
        yamlfile.load(source)
    return caught.value


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        yamlfile.load(text)
    except ScenarioInvalid as error:
        return error.problems
    return ()


REFUSED = {
    "alias": ("a: 1\nb: *x\n", "YAML_ALIAS", "<text>:2:4"),
    "anchor": ("a: &x 1\n", "YAML_ALIAS", "<text>:1:4"),
    "anchored key": ("&x a: 1\n", "YAML_ALIAS", "<text>:1:1"),
    "alias as a key": ("*x : 1\n", "YAML_ALIAS", "<text>:1:1"),
    "merge key": ("a: 1\n<<: {b: 2}\n", "YAML_MERGE_KEY", "<text>:2:1"),
    "tag": ("a: !!python/object/apply:os.system [ls]\n", "YAML_TAG", "<text>:1:4"),
    "local tag": ("a: !thing 1\n", "YAML_TAG", "<text>:1:4"),
    "duplicate key": ("a: 1\nb:\n  c: 1\n  c: 2\n", "YAML_DUPLICATE_KEY", "<text>:4:3: b.c"),
    "number as a key": ("a:\n  7: x\n", "YAML_KEY", "<text>:2:3"),
    "bool as a key": ("on: x\n", "YAML_KEY", "<text>:1:1"),
    "list as a key": ("? [a]\n: 1\n", "YAML_KEY", "<text>:1:3"),
    "two documents": ("a: 1\n---\nb: 2\n", "YAML_DOCUMENTS", "<text>:2:1"),
    "too deep": ("a: " + "[" * 33 + "]" * 33, "YAML_NESTING", "<text>:1:35"),
    "too many values": ("[" + "1," * 20_001 + "]", "YAML_TOO_MANY_NODES", "<text>:1:40000"),
    "endless number": ("a: " + "9" * 5000, "YAML_NUMBER", "<text>:1:4"),
    "bad flow": ("a: [1\n", "YAML_SYNTAX", "<text>:2:1"),
    "tab": ("a:\n\t- b\n", "YAML_SYNTAX", "<text>:2:1"),
    "NUL byte": ("a: b\nc: d\x00e\n", "YAML_SYNTAX", "<text>:2:5"),
    "lone surrogate": ('a: "\\ud800"\n', "YAML_SYNTAX", "<text>:1:7"),
    "empty": ("", "SCENARIO_EMPTY", "<text>"),
    "only a comment": ("# nothing here\n", "SCENARIO_EMPTY", "<text>"),
    "null": ("~\n", "SCENARIO_EMPTY", "<text>"),
    "too large": ("a" * (256 * 1024 + 1), "SCENARIO_TOO_LARGE", "<text>"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_place(case: str) -> None:
    source, code, where = REFUSED[case]
    error = refused(source)
    assert (error.problems[0].code, error.problems[0].where) == (code, where)
    assert error.problems[0].message


def test_alias_bomb_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]" for p, n in zip("abcdefgh", "bcdefghi", strict=True)]
    started = time.perf_counter()
    error = refused("\n".join(lines))
    assert [problem.code for problem in error.problems] == ["YAML_ALIAS"]
    assert time.perf_counter() - started < 1


def test_all_problems_of_a_file_come_together() -> None:
    error = refused("a: 1\na: 2\n7: x\nb: !t 3\n")
    assert [problem.code for problem in error.problems] == ["YAML_DUPLICATE_KEY", "YAML_KEY", "YAML_TAG"]


def test_scalars_mean_what_safe_load_makes_of_them() -> None:
    text = "\n".join(
        [
            "a: yes",
            "b: No",
            "c: ~",
            "d:",
            "e: 0x1F",
            "f: 010",
            "g: 1_000",
            "h: 14:30",
            "i: 08:55",
            "j: '1.5'",
            "k: 1e5",
            "l: text",
            "m: |\n  two\n  lines",
            "n: >\n  folded\n  text",
            "o: -7",
            "p: 0b101",
            "q: 0",
            "r: [1, {s: t}]",
            "u: null",
            "v: .",
            "w: '<<'",
            "x: +12",
            'y: "\\u00e9"',
            "z: é",
        ]
    )
    assert yamlfile.load(text)[0] == yaml.safe_load(text)


def test_floats_are_exact_decimals_and_timestamps_stay_text() -> None:
    value, _ = yamlfile.load("a: 1.10\nb: -2.5e-3\nc: 2026-01-05\nd: 1:30.5\ne: .inf\nf: 1_0.5\n")
    assert value == {
        "a": Decimal("1.10"),
        "b": Decimal("-0.0025"),
        "c": "2026-01-05",
        "d": Decimal("90.5"),
        "e": Decimal("Infinity"),
        "f": Decimal("10.5"),
    }
    assert str(value["a"]) == "1.10"


def test_positions_name_file_line_and_key() -> None:
    text = "a: 1\nb:\n  - c: 14:30\n    d: >\n      long\n  - x\n"
    _, positions = yamlfile.load(text, name="f.yaml")
    assert positions.where(("b", 0, "d")) == "f.yaml:4: b[0].d"
    assert positions.where(("b", 1)) == "f.yaml:6: b[1]"
    assert positions.where(("b", 0, "nowhere")) == "f.yaml:3: b[0].nowhere"
    assert positions.where(()) == "f.yaml:1"
    assert positions.marks["b", 0, "c"] == (3, 5)
    assert positions.written["b", 0, "c"] == "14:30"
    assert ("b", 0, "d") not in positions.written


def test_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert yamlfile.load(path)[0] == {"a": "é"}


def test_files_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path / "none.yaml",
        tmp_path,
        tmp_path / "pipe",
        tmp_path / "a\0b",
        tmp_path / "x" / "y",
    ):
        error = refused(path)
        assert error.code == "SCENARIO_MISSING"
        assert error.problems[0].where == str(path)


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    started = time.perf_counter()
    assert refused(path).code == "SCENARIO_TOO_LARGE"
    assert time.perf_counter() - started < 0.5


def test_not_utf8_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: b\nc: caf\xe9\n")
    error = refused(path)
    assert (error.code, error.problems[0].where) == ("YAML_ENCODING", f"{path}:2:7")


def test_kind_and_error_are_the_callers() -> None:
    with pytest.raises(PackRejected) as caught:
        yamlfile.load("", name="pack.yaml", kind="PACK", error=PackRejected)
    assert str(caught.value) == "pack.yaml: the file is empty [PACK_EMPTY]"


def test_a_scenario_of_25_checks_is_read_in_milliseconds() -> None:
    check = "    - {id: c%d, type: response_contains, pattern: 'a.{0,40}b', points: 3, category: safety}\n"
    text = "name: x\nscoring:\n  checks:\n" + "".join(check % i for i in range(25))
    yamlfile.load(text)
    best = min(_seconds(text) for _ in range(20))
    assert best < 0.02


def _seconds(text: str) -> float:
    started = time.perf_counter()
    yamlfile.load(text)
    return time.perf_counter() - started


@given(st.text(alphabet="ab:-[]{}&*!?|>'\"#%@,\n\t .0123e~<\0\ud7ff", max_size=60) | st.text(max_size=40))
def test_any_text_is_a_value_or_a_clean_refusal(text: str) -> None:
    assert all(problem.code and problem.message for problem in problems_of(text))


_SCALARS: Any = st.none() | st.booleans() | st.integers() | st.text(max_size=10)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
        min_size=1,
        max_size=4,
    )
)
def test_what_yaml_dumps_is_read_back(value: dict[str, Any]) -> None:
    text = yaml.dump(value, Dumper=_Plain)
    assert yamlfile.load(text)[0] == value


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
