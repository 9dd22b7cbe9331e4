"""The local chain, in this process and served to others, holds the contract of every chain; and its own promises."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from trajectoryrl.chain import Chain, named_chain
from trajectoryrl.chain.keys import derived_key, read_key, write_key
from trajectoryrl.chain.local import LocalChain, LocalNetwork, Rules
from trajectoryrl.chain.localclient import LocalClient
from trajectoryrl.chain.localrules import commit_message, weights_message
from trajectoryrl.chain.localserver import MAX_BODY, LocalServer, answered
from trajectoryrl.errors import ChainRefused, ChainUnavailable, InvalidInput

from .chain_contract import CONTRACT, Stand

VALIDATOR, MINER, STRANGER = (derived_key(name) for name in ("validator", "miner", "stranger"))


def network(path: Path | None = None, **rules: Any) -> LocalNetwork:
    made = LocalNetwork(path, replace(Rules(), **rules))
    made.register(VALIDATOR.ss58_address, stake=10**12, permit=True)
    made.register(MINER.ss58_address)
    return made


@asynccontextmanager
async def in_process(clock: Any) -> AsyncIterator[Stand]:
    made = network(clock=clock)

    async def advance(blocks: int) -> None:
        made.advance(blocks)

    yield Stand(*(LocalChain(made, key) for key in (VALIDATOR, MINER, STRANGER, None)), advance)
    made.close()


@asynccontextmanager
async def over_http(clock: Any) -> AsyncIterator[Stand]:
    made = network(clock=clock)
    server = LocalServer(made)

    async def advance(blocks: int) -> None:
        made.advance(blocks)

    clients = [await LocalClient.connected(server.url, key) for key in (VALIDATOR, MINER, STRANGER, None)]
    yield Stand(*clients, advance)
    for client in clients:
        await client.close()
    server.close()
    made.close()


@pytest.mark.parametrize("clock", ["hand", "instant"])
@pytest.mark.parametrize("stand", [in_process, over_http])
@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_contract(stand: Any, clock: str, promise: Callable[[Stand], Awaitable[None]]) -> None:
    async def play() -> None:
        async with stand(clock) as made:
            await promise(made)

    asyncio.run(play())
    assert promise in CONTRACT


def test_the_same_genesis_gives_the_same_blocks() -> None:
    one, two, other = network(), network(), network(genesis="another")
    for made in (one, two, other):
        made.advance_to(1200)
    assert one.block(1200) == two.block(1200)
    assert one.block(1200).hash == sha256(b"trajectoryrl-local:1200").hexdigest() != other.block(1200).hash
    assert one.block(1200).time_ms - one.block(0).time_ms == 1200 * 12_000


def test_what_was_read_at_a_block_stays() -> None:
    made = network(clock="hand")
    made.advance()
    seen = made.metagraph(1), made.commitments(1)
    made.register(STRANGER.ss58_address)
    made.register(MINER.ss58_address, stake=5, permit=True)
    sign(made, MINER, "later")
    assert (made.metagraph(1), made.commitments(1)) == seen
    made.advance()
    assert (made.metagraph(1), made.commitments(1)) == seen
    assert [neuron.permit for neuron in made.metagraph(2).neurons] == [True, True, False]
    assert made.commitments(2)[MINER.ss58_address].text == "later"


def sign(made: LocalNetwork, key: Any, text: str, nonce: int | None = None) -> int:
    nonce = made.nonce(key.ss58_address) if nonce is None else nonce
    return made.commit(key.ss58_address, text, nonce, bytes(key.sign(commit_message(made.rules, text, nonce))))


def test_a_transaction_is_signed_and_cannot_be_replayed() -> None:
    made = network()
    sign(made, MINER, "one")
    with pytest.raises(ChainRefused) as caught:
        sign(made, MINER, "one", nonce=0)
    assert caught.value.code == "CHAIN_NONCE"
    signature = bytes(VALIDATOR.sign(commit_message(made.rules, "two", 1)))
    for wrong in (signature, b"", b"x" * 64):
        with pytest.raises(ChainRefused) as caught:
            made.commit(MINER.ss58_address, "two", 1, wrong)
        assert caught.value.code == "CHAIN_SIGNATURE"
    elsewhere = bytes(MINER.sign(commit_message(replace(made.rules, genesis="elsewhere"), "two", 1)))
    with pytest.raises(ChainRefused):
        made.commit(MINER.ss58_address, "two", 1, elsewhere)
    assert made.nonce(MINER.ss58_address) == 1
    rows = {1: 65_535}
    other = bytes(VALIDATOR.sign(weights_message(made.rules, rows, 8, 0)))
    with pytest.raises(ChainRefused):
        made.set_weights(VALIDATOR.ss58_address, rows, 7, 0, other)


def test_rules_are_enforced() -> None:
    async def play() -> None:
        made = network(clock="instant", finality_lag=3, kept=10, min_version_key=5, activity_cutoff=20)
        chain = LocalChain(made, VALIDATOR)
        made.advance_to(50)
        assert await chain.finalized() == 47
        assert [neuron.active for neuron in made.metagraph(50).neurons] == [False, False]
        with pytest.raises(ChainUnavailable) as pruned:
            await chain.metagraph(39)
        assert pruned.value.code == "CHAIN_PRUNED"
        assert (await chain.block(39)).number == 39
        with pytest.raises(ChainRefused) as old:
            await chain.set_weights({1: Fraction(1)}, 4)
        assert old.value.code == "CHAIN_VERSION_KEY"
        assert await chain.set_weights({1: Fraction(1)}, 5) == 51
        assert [neuron.active for neuron in made.metagraph(51).neurons] == [True, False]
        with pytest.raises(ChainRefused) as soon:
            await chain.set_weights({1: Fraction(1)}, 5)
        assert soon.value.code == "CHAIN_RATE_LIMITED"
        assert "99 blocks" in str(soon.value)
        made.advance_to(150)
        assert await chain.set_weights({1: Fraction(1)}, 5) == 151
        for wrong in ({1: Fraction(1, 2)}, {0: Fraction(3, 2), 1: Fraction(-1, 2)}):
            with pytest.raises(InvalidInput):
                await chain.set_weights(wrong, 5)

    asyncio.run(play())
    assert Rules().rate_limit == 100


def test_blocks_by_the_clock_wait_for_nobody_and_never_go_back() -> None:
    now = [Rules().genesis_ms + 12_000 * 7 + 11_999]
    made = LocalNetwork(None, replace(Rules(), clock="wall"), lambda: now[0])
    assert made.head() == 7
    now[0] += 1
    assert made.head() == 8
    now[0] -= 500_000
    assert made.head() == 8
    with pytest.raises(ValueError, match="clock"):
        made.advance()


def test_a_commitment_by_the_clock_has_landed_when_it_returns() -> None:
    async def play() -> tuple[int, int]:
        made = network(clock="wall", block_ms=20)
        block = await LocalChain(made, MINER).commit("now")
        return block, made.head()

    block, head = asyncio.run(play())
    assert block <= head


def test_a_file_is_kept_and_has_one_owner(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    made = network(path, clock="instant", genesis="mine")
    sign(made, MINER, "kept")
    made.advance_to(20)
    code = "import sys; from pathlib import Path; from trajectoryrl.chain.local import LocalNetwork\n"
    code += "LocalNetwork(Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "CHAIN_IN_USE" in other.stderr
    made.close()
    again = LocalNetwork(path, Rules(genesis="ignored"))
    assert (again.rules.genesis, again.head()) == ("mine", 20)
    assert again.commitments(20)[MINER.ss58_address].text == "kept"
    assert again.nonce(MINER.ss58_address) == 1
    again.close()


def test_what_is_no_chain_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough to be looked at as one" * 20)
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE meta (name TEXT, value TEXT)")
        other.execute("INSERT INTO meta VALUES ('rules', '[]')")
    other.close()
    for name in ("text", "other", "none/chain"):
        with pytest.raises(ChainUnavailable) as caught:
            LocalNetwork(tmp_path / name)
        assert caught.value.code == "CHAIN_FILE"


def test_a_failed_transaction_changes_nothing() -> None:
    made = network(clock="instant")
    before = made.head(), made.metagraph(made.head())
    with pytest.raises(InvalidInput):
        made.register("nobody")
    with pytest.raises(ChainRefused):
        sign(made, STRANGER, "x")
    assert (made.head(), made.metagraph(made.head())) == before


def test_keys_are_files_for_one_owner(tmp_path: Path) -> None:
    path = tmp_path / "miner.json"
    address = write_key(path, "miner")
    assert address == MINER.ss58_address == read_key(path).ss58_address
    assert path.stat().st_mode & 0o777 == 0o600
    for broken in ("", "{}", '{"hotkey": "x", "seed": "00"}', path.read_text().replace('"seed": "', '"seed": "00')):
        (tmp_path / "broken").write_text(broken)
        with pytest.raises(InvalidInput) as caught:
            read_key(tmp_path / "broken")
        assert caught.value.code == "KEY_FILE"
    with pytest.raises(InvalidInput):
        read_key(tmp_path / "missing")


def test_names(tmp_path: Path) -> None:
    network(tmp_path / "c").close()

    async def play() -> None:
        chain: Chain = await named_chain(f"local:{tmp_path / 'c'}", 11, MINER)
        assert (chain.netuid, chain.public, chain.hotkey) == (11, False, MINER.ss58_address)
        await chain.close()
        for name, netuid, code in (
            (f"local:{tmp_path / 'none'}", 11, "NETWORK_UNKNOWN"),
            (f"local:{tmp_path / 'c'}", 12, "NETUID_UNKNOWN"),
            ("http://example.com:80", 11, "NETWORK_UNKNOWN"),
            ("http://127.0.0.1:1@example.com:80", 11, "NETWORK_UNKNOWN"),
            ("what is this", 11, "NETWORK_UNKNOWN"),
            ("finney", None, "NETUID_UNKNOWN"),
        ):
            with pytest.raises(InvalidInput) as caught:
                await named_chain(name, netuid)
            assert caught.value.code == code
        with pytest.raises(ChainUnavailable) as nobody:
            await named_chain("http://127.0.0.1:1", 11)
        assert nobody.value.code == "CHAIN_UNREACHABLE"
        bittensor = await named_chain("finney", 11)
        assert bittensor.public
        await bittensor.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    "request_",
    [None, [], 1, {}, {"method": "drop"}, {"method": "block"}, {"method": "block", "params": {"number": "1"}},
     {"method": "block", "params": {"number": True}}, {"method": "block", "params": {"number": 2**70}},
     {"method": "head", "params": 3}, {"method": "weights", "params": {"hotkey": None}},
     {"method": "commit", "params": {"hotkey": "a", "text": "b", "nonce": 0, "signature": "zz"}},
     {"method": "commit", "params": {"hotkey": "a", "text": "\ud800", "nonce": 0, "signature": ""}},
     {"method": "set_weights", "params": {"weights": [[1]], "hotkey": "a", "version_key": 1, "nonce": 0}},
     {"method": "register", "params": {"hotkey": "a", "coldkey": "b", "signature": "00"}}],
)  # fmt: skip
def test_every_request_has_an_answer(request_: Any) -> None:
    answer = answered(network(), request_)
    assert set(answer["error"]) == {"kind", "code", "message"}
    assert json.dumps(answer)


def test_the_server_takes_only_small_requests_by_its_own_name() -> None:
    server = LocalServer(network(clock="instant"))
    try:
        with httpx.Client(trust_env=False) as client:
            good = {"method": "head"}
            assert client.post(server.url, json=good).json() == {"result": 2}
            assert client.post(server.url, json=good, headers={"Host": "evil.example"}).status_code == 403
            assert client.post(server.url, content=b"x" * (MAX_BODY + 1)).status_code == 413
            assert client.post(server.url, content=b"[" * 60_000).json()["error"]["code"] == "CHAIN_REQUEST"
            assert client.get(server.url).status_code == 501
        with pytest.raises(ChainUnavailable) as caught:
            LocalServer(network(), server.port)
        assert caught.value.code == "CHAIN_PORT"
    finally:
        server.close()


def test_registration_from_outside_is_signed() -> None:
    async def play() -> None:
        made = network(clock="instant")
        server = LocalServer(made)
        client = await LocalClient.connected(server.url, STRANGER)
        assert await client.register() == 2
        assert await client.register() == 2
        known = await LocalClient.connected(server.url, VALIDATOR)
        assert await known.register(STRANGER.ss58_address) == 0
        neuron = made.metagraph(made.head()).by_hotkey(VALIDATOR.ss58_address)
        assert neuron is not None
        assert neuron.permit
        await client.close()
        await known.close()
        server.close()

    asyncio.run(play())
    assert VALIDATOR.ss58_address != STRANGER.ss58_address


def test_a_lost_answer_is_looked_up_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[Any]:
        made = network(clock="instant")
        server = LocalServer(made)
        client = await LocalClient.connected(server.url, MINER)
        call = client._call
        fates = []

        async def lossy(self: LocalClient, method: str, **params: Any) -> Any:
            if method == "commit" and params["text"] == "unsent":
                raise ChainUnavailable.of("CHAIN_TIMEOUT", "no answer")
            result = await call(method, **params)
            if method == "commit":
                raise ChainUnavailable.of("CHAIN_TIMEOUT", "no answer")
            return result

        monkeypatch.setattr(LocalClient, "_call", lossy)
        fates.append(await client.commit("landed"))
        with pytest.raises(ChainUnavailable):
            await client.commit("unsent")
        fates.append(made.nonce(MINER.ss58_address))
        monkeypatch.undo()
        await client.close()
        server.close()
        return fates

    assert asyncio.run(play()) == [3, 1]
