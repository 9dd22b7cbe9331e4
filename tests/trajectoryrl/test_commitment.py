"""One value, one text; anything else is refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from trajectoryrl.commitment import MAX_BYTES, record_of, record_text, submission_of, submission_text
from trajectoryrl.errors import CommitmentInvalid

from ..test_protocol_doc import vectors

COMMIT, HASH = "0123456789abcdef0123456789abcdef01234567", "f" * 63 + "0"
HEX40 = some.text("0123456789abcdef", min_size=40, max_size=40)
HEX64 = some.text("0123456789abcdef", min_size=64, max_size=64)
_LETTERS = "abcXYZ019"
NAMES = some.builds(
    "{}/{}".format,
    some.text(_LETTERS, min_size=1, max_size=39),
    some.text(_LETTERS + "_-", min_size=1, max_size=99).map("r".__add__),
)


@given(NAMES, HEX40, HEX64)
def test_a_submission_is_read_as_it_was_written(name: str, commit: str, pack_hash: str) -> None:
    text = submission_text(name, commit, pack_hash)
    assert len(text) <= MAX_BYTES
    assert len(text) <= 128 or len(name) > 52
    read = submission_of(text, "5hot", 7)
    assert (read.repository, read.commit, read.pack_hash) == (name, commit, pack_hash)
    assert (read.hotkey, read.block) == ("5hot", 7)


@given(some.text(max_size=400) | some.text(max_size=120).map("trl1:a/b:".__add__))
def test_any_text_is_a_submission_or_refused_and_a_submission_has_one_text(text: str) -> None:
    try:
        read = submission_of(text, "5hot", 0)
    except CommitmentInvalid:
        return
    assert submission_text(read.repository, read.commit, read.pack_hash) == text


def test_the_last_bits_that_say_nothing_must_be_zero() -> None:
    text = submission_text("a/b", COMMIT, HASH)
    other = text[:-1] + chr(ord(text[-1]) + 1)
    with pytest.raises(CommitmentInvalid):
        submission_of(other, "5hot", 0)


@pytest.mark.parametrize(
    "text",
    ["", "trl1:", "trl2:a/b:x", "trl1:a:b", "trl1:-a/b:" + "A" * 70, "trl1:a/.git:" + "A" * 70, "trl1:a/b:" + "A" * 71],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(CommitmentInvalid):
        submission_of(text, "5hot", 0)


@given(HEX64, some.from_regex(r"https?://[a-z0-9./:_-]{1,200}", fullmatch=True))
def test_a_record_is_read_as_it_was_written(manifest: str, url: str) -> None:
    text = record_text(url, manifest)
    assert len(text.encode()) <= MAX_BYTES
    assert record_of(text) == (url, manifest)


@pytest.mark.parametrize("url", ["ftp://x", "https://a b", "https://" + "x" * 400, "https://é"])
def test_a_url_that_cannot_be_told_is_refused(url: str) -> None:
    with pytest.raises(CommitmentInvalid):
        record_text(url, HASH)


def test_the_protocols_vectors() -> None:
    given = vectors("commitments")
    for row in given["submissions"]:
        assert submission_text(row["repository"], row["commit"], row["pack_hash"]) == row["is"]
        read = submission_of(row["is"], "5hot", 3)
        assert (read.repository, read.commit, read.pack_hash) == (row["repository"], row["commit"], row["pack_hash"])
        assert len(row["is"].encode()) <= MAX_BYTES
    for row in given["records"]:
        assert record_text(row["url"], row["manifest"]) == row["is"]
        assert record_of(row["is"]) == (row["url"], row["manifest"])
    for text in given["refused"]:
        with pytest.raises(CommitmentInvalid):
            submission_of(text, "5hot", 3)
    assert all(given.values())


def test_the_longest_texts_fit() -> None:
    assert len(submission_text("o" * 39 + "/" + "r" * 100, COMMIT, HASH)) == 216
    assert len(record_text("https://" + "x" * 300, HASH)) <= MAX_BYTES
