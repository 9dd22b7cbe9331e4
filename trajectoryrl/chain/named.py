"""A chain by the name that a user gives it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from .protocol import Chain

_HERE = re.compile(r"http://(127\.0\.0\.1|localhost):[0-9]{1,5}/?")
_ELSEWHERE = re.compile(r"wss?://[^\s]{1,200}|[a-z][a-z0-9_-]{0,31}")


async def named_chain(name: str, netuid: int | None = None, key: Any = None, **options: Any) -> Chain:
    """The chain called ``name``, as ``key`` (a keypair, or ``None``) sees it.

    ``local:PATH`` opens a file in this process; ``http://127.0.0.1:PORT`` is a local network that another process
    serves; anything else is a Bittensor network's name or ws(s) URL, for which ``options`` go to its adapter.
    ``netuid`` must be the network's where that is known. Raises InvalidInput (``NETWORK_UNKNOWN``,
    ``NETUID_UNKNOWN``), ChainUnavailable.
    """
    chain: Chain
    if name.startswith("local:"):
        from .local import LocalNetwork, OwnedChain

        path = Path(name.removeprefix("local:"))
        if not path.is_file():
            raise InvalidInput.of(
                "NETWORK_UNKNOWN", "there is no such file; make one with trajectoryrl localnet up", name
            )
        chain = OwnedChain(LocalNetwork(path), key)
    elif _HERE.fullmatch(name):
        from .localclient import LocalClient

        chain = await LocalClient.connected(name, key)
    elif _ELSEWHERE.fullmatch(name):
        if netuid is None:
            raise InvalidInput.of("NETUID_UNKNOWN", "a Bittensor network needs --netuid", name)
        from .bittensor import BittensorChain

        return BittensorChain(name, netuid, key, **options)
    else:
        said = "a network is local:PATH, http://127.0.0.1:PORT, a Bittensor network's name, or a ws(s):// URL"
        raise InvalidInput.of("NETWORK_UNKNOWN", said, name[:80])
    if netuid is not None and chain.netuid != netuid:
        has = chain.netuid
        await chain.close()
        raise InvalidInput.of("NETUID_UNKNOWN", f"this network has subnet {has}, not {netuid}", name)
    return chain
