"""Repositories as their owners could make them to harm who reads them, each with the code that it ends in.

A builder fills a bare repository and returns the commit that is submitted. ``canary`` is a file that nothing may make.
"""

from __future__ import annotations

import os
import subprocess
from base64 import b85encode
from collections.abc import Callable
from pathlib import Path

from tests.trajectoryrl.bare import BLOB, MAIN, Bare, Zeros, commit_bytes, noise, tree_bytes

Builder = Callable[[Bare, Path], str]
_FILE, _PROGRAM, _LINK, _FOLDER, _MODULE = "100644", "100755", "120000", "40000", "160000"
_ABSENT = "1" * 40
_CLEAN = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def gibibyte(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_FILE, b"pack.json", bare.zeros(Zeros(BLOB))))


def gibibyte_beside_a_folder(bare: Bare, canary: Path) -> str:
    """pack.json is a folder, and something large lies next to it."""
    inner = bare.tree((_FILE, b"a", bare.blob()))
    return bare.with_entries((_FILE, b"large", bare.blob(bytes(1 << 20))), (_FOLDER, b"pack.json", inner))


def one_byte_too_many(bare: Bare, canary: Path) -> str:
    return bare.honest(b"x" * 65_537)


def many_small_files(bare: Bare, canary: Path) -> str:
    """14 MB that don't compress, in files small enough to be fetched."""
    files = [(_FILE, b"f%05d" % n, bare.blob(noise(60_000, str(n)))) for n in range(240)]
    return bare.with_entries(*files, (_FILE, b"pack.json", bare.blob()))


def tree_bomb(bare: Bare, canary: Path) -> str:
    """Ten folders in each of ten folders, ten levels deep: 10^10 paths, of eleven objects."""
    tree = bare.tree((_FILE, b"f", bare.blob(b"bomb")))
    for _ in range(10):
        tree = bare.tree(*((_FOLDER, b"d%d" % n, tree) for n in range(10)))
    return bare.with_entries((_FOLDER, b"bomb", tree), (_FOLDER, b"pack.json", tree))


def deep_tree(bare: Bare, canary: Path) -> str:
    """A folder in a folder, 2,000 levels deep."""
    tree = bare.tree((_FILE, b"f", bare.blob(b"deep")))
    for _ in range(2_000):
        tree = bare.tree((_FOLDER, b"d", tree))
    return bare.with_entries((_FOLDER, b"d", tree))


def wide_tree(bare: Bare, canary: Path) -> str:
    """A root of 1.5 MB."""
    blob = bare.blob()
    return bare.with_entries(*((_FILE, b"f%020d" % n, blob) for n in range(32_000)), (_FILE, b"pack.json", blob))


def symbolic_link(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_LINK, b"pack.json", bare.blob(b"/etc/passwd")))


def gitlink(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_MODULE, b"pack.json", _ABSENT))


def submodule_ext(bare: Bare, canary: Path) -> str:
    """A submodule whose URL is a program."""
    modules = f'[submodule "m"]\n\tpath = m\n\turl = ext::sh -c "touch% {canary}"\n\tupdate = !touch {canary}\n'
    return bare.with_entries((_FILE, b".gitmodules", bare.blob(modules.encode())), (_MODULE, b"m", _ABSENT))


def submodule_option(bare: Bare, canary: Path) -> str:
    """A submodule whose URL is an option."""
    modules = f'[submodule "m"]\n\tpath = m\n\turl = --upload-pack=touch {canary}\n'
    files = ((_FILE, b".gitmodules", bare.blob(modules.encode())), (_MODULE, b"m", _ABSENT))
    return bare.with_entries(*files, (_FILE, b"pack.json", bare.blob()))


def submodule_quoting(bare: Bare, canary: Path) -> str:
    """A submodule whose URL is quoted by git as if the host had said it."""
    modules = '[submodule "m"]\n\tpath = m\n\turl = "-x\\nfatal: repository \'x\' not found\\nfatal: early EOF"\n'
    files = ((_FILE, b".gitmodules", bare.blob(modules.encode())), (_MODULE, b"m", _ABSENT))
    return bare.with_entries(*files, (_FILE, b"pack.json", bare.blob()))


def submodule_name(bare: Bare, canary: Path) -> str:
    """A submodule that would live among git's hooks."""
    modules = '[submodule "../../hooks"]\n\tpath = m\n\turl = ./m\n'
    files = ((_FILE, b".gitmodules", bare.blob(modules.encode())), (_MODULE, b"m", _ABSENT))
    return bare.with_entries(*files, (_FILE, b"pack.json", bare.blob()))


def modules_as_link(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_LINK, b".gitmodules", bare.blob(b"x")), (_FILE, b"pack.json", bare.blob()))


def _hook(bare: Bare, canary: Path) -> str:
    return bare.blob(f"#!/bin/sh\ntouch {canary}\n".encode())


def repository_inside(bare: Bare, canary: Path) -> str:
    """What looks like a bare repository, with hooks and a configuration that runs programs."""
    config = f'[core]\n\tfsmonitor = "touch {canary}"\n\tsshCommand = touch {canary}\n\tbare = true\n'
    hooks = bare.tree(*((_PROGRAM, name, _hook(bare, canary)) for name in (b"post-checkout", b"post-merge")))
    return bare.with_entries(
        (_FILE, b"HEAD", bare.blob(b"ref: refs/heads/main\n")),
        (_FILE, b"config", bare.blob(config.encode())),
        (_FOLDER, b"hooks", hooks),
        (_FOLDER, b"objects", bare.tree((_FILE, b"x", bare.blob()))),
        (_FOLDER, b"refs", bare.tree((_FILE, b"x", bare.blob()))),
    )


def _dot_git(name: bytes) -> Builder:
    def build(bare: Bare, canary: Path) -> str:
        hooks = bare.tree((_PROGRAM, b"post-checkout", _hook(bare, canary)))
        inner = bare.tree((_FOLDER, b"hooks", hooks))
        entries = [(_FOLDER, name, inner), (_FILE, b"pack.json", bare.blob())]
        return bare.with_entries(*sorted(entries, key=lambda one: one[1]))

    return build


def lfs_pointer(bare: Bare, canary: Path) -> str:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 100\n"
    attributes = b"pack.json filter=lfs diff=lfs merge=lfs -text\n"
    return bare.with_entries(
        (_FILE, b".gitattributes", bare.blob(attributes)), (_FILE, b"pack.json", bare.blob(pointer))
    )


def _called(name: bytes) -> Builder:
    return lambda bare, canary: bare.with_entries((_FILE, name, bare.blob()))


def in_a_folder(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_FOLDER, b"packs", bare.tree((_FILE, b"pack.json", bare.blob()))))


def _two(*entries: bytes) -> Builder:
    """Entries called so, in this order, which git would not make."""
    return lambda bare, canary: bare.with_entries(
        *((_FILE, name, bare.blob(str(at).encode())) for at, name in enumerate(entries))
    )


def side_branch(bare: Bare, canary: Path) -> str:
    base = bare.honest()
    return bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"1"))), base, ref="refs/heads/side")


def orphan(bare: Bare, canary: Path) -> str:
    bare.honest()
    return bare.honest(b"1", ref="refs/heads/orphan")


def only_in_a_fork(bare: Bare, canary: Path) -> str:
    """As a host shows the commits of forks: by pull request, under the name of the repository."""
    base = bare.honest()
    return bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"1"))), base, ref="refs/pull/1/head")


def no_branch_at_all(bare: Bare, canary: Path) -> str:
    bare.honest()
    return bare.honest(b"dangling", ref=None)


def forced_away(bare: Bare, canary: Path) -> str:
    base = bare.honest()
    gone = bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"1"))), base, ref=MAIN)
    bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"2"))), base, ref=MAIN)
    return gone


def absent(bare: Bare, canary: Path) -> str:
    bare.honest()
    return _ABSENT


def a_tag(bare: Bare, canary: Path) -> str:
    commit = bare.honest()
    said = f"object {commit}\ntype commit\ntag v1\ntagger m <m@x> 1700000000 +0000\n\nv1\n".encode()
    folder = bare.folder
    words = ["git", "--git-dir", str(folder), "hash-object", "-t", "tag", "-w", "--stdin"]
    oid = subprocess.run(words, input=said, capture_output=True, check=True, env=_CLEAN).stdout.decode().strip()
    bare.ref("refs/tags/v1", oid)
    return oid


def a_tree(bare: Bare, canary: Path) -> str:
    bare.honest()
    return bare.tree((_FILE, b"pack.json", bare.blob()))


def a_blob(bare: Bare, canary: Path) -> str:
    bare.honest()
    return bare.blob()


def refs_like_options(bare: Bare, canary: Path) -> str:
    base = bare.honest()
    side = bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"1"))), base)
    for name in (
        f"--upload-pack=touch${{IFS}}{canary.name}",
        "-x",
        "--output=x",
        "$(touch x)",
        ";touch x".replace(" ", ""),
    ):
        bare.ref(f"refs/heads/{name}", side)
    return side


def many_refs(bare: Bare, canary: Path) -> str:
    base = bare.honest()
    side = bare.commit(bare.tree((_FILE, b"pack.json", bare.blob(b"1"))), base)
    lines = sorted(f"{side} refs/heads/r{number:06d}" for number in range(50_000))
    (bare.folder / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted\n" + "\n".join(lines) + "\n")
    return side


def many_commits(bare: Bare, canary: Path) -> str:
    """The first of 12,000 commits: it is not among the newest 10,000."""
    first = bare.honest()
    person = "m <m@x> 1700000000 +0000"
    stream = [f"reset {MAIN}\nfrom {first}\n"]
    stream += [f"commit {MAIN}\ncommitter {person}\ndata 1\n{number % 10}\n" for number in range(12_000)]
    words = ["git", "--git-dir", str(bare.folder), "fast-import", "--quiet"]
    subprocess.run(words, input="\n".join(stream).encode(), check=True, capture_output=True, env=_CLEAN)
    return first


def long_messages(bare: Bare, canary: Path) -> str:
    """History of 14 MB that doesn't compress."""
    config = bare.folder / "config"
    config.write_text(f"{config.read_text()}[pack]\n\twindow = 0\n\tcompression = 1\n")
    first = commit = bare.honest()
    tree = bare.tree((_FILE, b"pack.json", bare.blob()))
    for number in range(36):
        text = b85encode(noise(400_000, str(number)))
        commit = bare.commit(tree, commit, message=text, ref=MAIN)
    return first


def octopus(bare: Bare, canary: Path) -> str:
    """A commit of 1,500 parents, none of which is the one submitted."""
    tree = bare.tree((_FILE, b"pack.json", bare.blob()))
    parents = [bare.commit(tree, message=b"%d\n" % number) for number in range(1_500)]
    bare.commit(tree, *parents, ref=MAIN)
    return bare.commit(tree, message=b"another\n", ref="refs/heads/side")


def replaced(bare: Bare, canary: Path) -> str:
    """refs/replace would have another commit stand for this one."""
    commit = bare.with_entries((_FILE, b"other", bare.blob()))
    bare.ref(f"refs/replace/{commit}", bare.honest(ref="refs/heads/better"))
    return commit


def grafted(bare: Bare, canary: Path) -> str:
    """The host's own grafts would make a side commit the parent of the branch."""
    side = bare.honest(b"side", ref="refs/heads/side")
    main = bare.honest()
    (bare.folder / "info").mkdir(exist_ok=True)
    (bare.folder / "info" / "grafts").write_text(f"{main} {side}\n")
    return side


def alternates(bare: Bare, canary: Path) -> str:
    """The commit is another repository's, whose objects the host shares."""
    other = bare.folder.parent / f"{bare.folder.name}-other"
    subprocess.run(["git", "init", "-q", "--bare", str(other)], check=True, capture_output=True, env=_CLEAN)
    commit = Bare(other).honest(b"of another")
    (bare.folder / "objects" / "info").mkdir(exist_ok=True)
    (bare.folder / "objects" / "info" / "alternates").write_text(f"{other / 'objects'}\n")
    bare.honest()
    return commit


def empty(bare: Bare, canary: Path) -> str:
    return _ABSENT


def no_default_branch(bare: Bare, canary: Path) -> str:
    bare.head("ref: refs/heads/nowhere")
    return bare.honest()


def detached_head_elsewhere(bare: Bare, canary: Path) -> str:
    """HEAD names a commit of its own; main counts for nothing."""
    bare.head(bare.honest(b"elsewhere", ref=None))
    return bare.honest()


def without_author(bare: Bare, canary: Path) -> str:
    tree = bare.tree((_FILE, b"pack.json", bare.blob()))
    oid = bare.put(1, f"tree {tree}\ncommitter m <m@x> 1700000000 +0000\n\nx\n".encode())
    bare.ref(MAIN, oid)
    return oid


def nul_in_header(bare: Bare, canary: Path) -> str:
    tree = bare.tree((_FILE, b"pack.json", bare.blob()))
    oid = bare.put(1, commit_bytes(tree).replace(b"author m", b"author \0m"))
    bare.ref(MAIN, oid)
    return oid


def broken_tree(bare: Bare, canary: Path) -> str:
    """A tree that ends in the middle of an entry."""
    oid = bare.put(2, tree_bytes([(_FILE, b"pack.json", bare.blob())])[:-7])
    return bare.commit(oid, ref=MAIN)


def null_object(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_MODULE, b"pack.json", "0" * 40))


def writable_mode(bare: Bare, canary: Path) -> str:
    return bare.with_entries(("100666", b"pack.json", bare.blob()))


def padded_mode(bare: Bare, canary: Path) -> str:
    return bare.with_entries(("0100644", b"pack.json", bare.blob()))


# Where the host's own git cannot read what it has, it is the host that fails: HOST_UNREACHABLE, decided for nobody.
CASES: dict[str, tuple[Builder, str]] = {
    "a gibibyte as pack.json": (gibibyte, "FILE_TOO_LARGE"),
    "one byte too many": (one_byte_too_many, "FILE_TOO_LARGE"),
    "14 MB in small files": (many_small_files, "REPOSITORY_TOO_LARGE"),
    "a folder called pack.json": (gibibyte_beside_a_folder, "NOT_A_FILE"),
    "a tree bomb": (tree_bomb, "NOT_A_FILE"),
    "a tree 2,000 levels deep": (deep_tree, "FILE_MISSING"),
    "a tree of 32,000 entries": (wide_tree, "REPOSITORY_TOO_LARGE"),
    "a symbolic link": (symbolic_link, "NOT_A_FILE"),
    "a submodule called pack.json": (gitlink, "NOT_A_FILE"),
    "a submodule with ext::": (submodule_ext, "BAD_OBJECTS"),
    "a submodule with an option": (submodule_option, "BAD_OBJECTS"),
    "a submodule that accuses the host": (submodule_quoting, "BAD_OBJECTS"),
    "a submodule among the hooks": (submodule_name, "BAD_OBJECTS"),
    ".gitmodules as a link": (modules_as_link, "BAD_OBJECTS"),
    "a bare repository inside": (repository_inside, "FILE_MISSING"),
    "a folder .git": (_dot_git(b".git"), "BAD_OBJECTS"),
    "a folder .GIT": (_dot_git(b".GIT"), "BAD_OBJECTS"),
    "a folder git~1": (_dot_git(b"git~1"), "BAD_OBJECTS"),
    "a folder .g<zwnj>it": (_dot_git(".g‌it".encode()), "BAD_OBJECTS"),
    "an LFS pointer": (lfs_pointer, "LFS_POINTER"),
    "Pack.JSON": (_called(b"Pack.JSON"), "FILE_MISSING"),
    "pack.json with a space": (_called(b"pack.json "), "FILE_MISSING"),
    "pack.json with a dot": (_called(b"pack.json."), "FILE_MISSING"),
    "pack.json with a line end": (_called(b"pack.json\n"), "FILE_MISSING"),
    "pack.json in Cyrillic": (_called("pаck.json".encode()), "FILE_MISSING"),
    "pack.json with a hidden joiner": (_called("pack‍.json".encode()), "FILE_MISSING"),
    "pack.json in full width": (_called("ｐａｃｋ.json".encode()), "FILE_MISSING"),
    "pack.json in other bytes": (_called(b"pack\xff.json"), "FILE_MISSING"),
    "pack.json behind backslash": (_called(b"x\\pack.json"), "FILE_MISSING"),
    "pack.json in a folder": (in_a_folder, "FILE_MISSING"),
    "a path as a name": (_called(b"a/pack.json"), "BAD_OBJECTS"),
    "a name without characters": (_two(b"", b"pack.json"), "HOST_UNREACHABLE"),
    "a folder ..": (_dot_git(b".."), "BAD_OBJECTS"),
    "pack.json twice": (_two(b"pack.json", b"pack.json"), "BAD_OBJECTS"),
    "unsorted names": (_two(b"pack.json", b"a"), "BAD_OBJECTS"),
    "a side branch": (side_branch, "NOT_ON_DEFAULT_BRANCH"),
    "an orphan": (orphan, "NOT_ON_DEFAULT_BRANCH"),
    "a fork's commit": (only_in_a_fork, "NOT_ON_DEFAULT_BRANCH"),
    "a commit of no branch": (no_branch_at_all, "NOT_ON_DEFAULT_BRANCH"),
    "a commit forced away": (forced_away, "NOT_ON_DEFAULT_BRANCH"),
    "a commit that isn't there": (absent, "COMMIT_MISSING"),
    "a tag's name": (a_tag, "NOT_ON_DEFAULT_BRANCH"),
    "a tree's name": (a_tree, "NOT_ON_DEFAULT_BRANCH"),
    "a blob's name": (a_blob, "NOT_ON_DEFAULT_BRANCH"),
    "refs like options": (refs_like_options, "NOT_ON_DEFAULT_BRANCH"),
    "50,000 refs": (many_refs, "NOT_ON_DEFAULT_BRANCH"),
    "12,000 commits": (many_commits, "NOT_ON_DEFAULT_BRANCH"),
    "14 MB of messages": (long_messages, "REPOSITORY_TOO_LARGE"),
    "1,500 parents": (octopus, "NOT_ON_DEFAULT_BRANCH"),
    "a replaced commit": (replaced, "FILE_MISSING"),
    "grafts": (grafted, "NOT_ON_DEFAULT_BRANCH"),
    "alternates": (alternates, "NOT_ON_DEFAULT_BRANCH"),
    "nothing": (empty, "REPOSITORY_EMPTY"),
    "no default branch": (no_default_branch, "REPOSITORY_EMPTY"),
    "a detached HEAD elsewhere": (detached_head_elsewhere, "NOT_ON_DEFAULT_BRANCH"),
    "a commit without author": (without_author, "BAD_OBJECTS"),
    "a commit with NUL": (nul_in_header, "BAD_OBJECTS"),
    "a broken tree": (broken_tree, "HOST_UNREACHABLE"),
    "no object": (null_object, "BAD_OBJECTS"),
    "a mode for everyone": (writable_mode, "NOT_A_FILE"),
    "a padded mode": (padded_mode, "BAD_OBJECTS"),
}


def attributes_and_hooks(bare: Bare, canary: Path) -> str:
    attributes = b"pack.json filter=evil ident text eol=crlf working-tree-encoding=UTF-16 diff=evil\n"
    return bare.with_entries(
        (_FILE, b".gitattributes", bare.blob(attributes)),
        (_FOLDER, b"hooks", bare.tree((_PROGRAM, b"post-checkout", _hook(bare, canary)))),
        (_FILE, b"pack.json", bare.blob(b'{"$Id$": 1}\n')),
    )


def executable(bare: Bare, canary: Path) -> str:
    return bare.with_entries((_PROGRAM, b"pack.json", bare.blob(b"#!/bin/sh\necho {}\n")))


def detached_head(bare: Bare, canary: Path) -> str:
    commit = bare.honest()
    bare.head(commit)
    return commit


def large_neighbours(bare: Bare, canary: Path) -> str:
    """64 MiB of what doesn't matter: it is never fetched."""
    return bare.with_entries(
        (_FILE, b"film.bin", bare.zeros(Zeros(BLOB, size=64 << 20))), (_FILE, b"pack.json", bare.blob())
    )


READ: dict[str, tuple[Builder, bytes]] = {
    "attributes and hooks": (attributes_and_hooks, b'{"$Id$": 1}\n'),
    "an executable pack.json": (executable, b"#!/bin/sh\necho {}\n"),
    "a detached HEAD": (detached_head, b"{}"),
    "a large neighbour": (large_neighbours, b"{}"),
    "the largest pack.json": (lambda bare, canary: bare.honest(b"x" * 65_536), b"x" * 65_536),
}
"""What is read, whatever lies around it, byte for byte."""
