"""Ed25519 signatures (RFC 8032) with a key of the platform's own."""

from __future__ import annotations

import hashlib
from typing import Final

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

_CURVE: Final = "Ed25519"


class Ed25519Signer:
    """Signs with one key; knows by their ids the keys that were signed with before."""

    def __init__(self, seed: bytes, *, previous: tuple[bytes, ...] = ()) -> None:
        key = ECC.construct(curve=_CURVE, seed=seed)
        self._signing = eddsa.new(key, "rfc8032")
        self._public_key = _raw(key)
        self._known = {key_id_of(raw): raw for raw in (*previous, self._public_key)}

    @property
    def key_id(self) -> str:
        return key_id_of(self._public_key)

    @property
    def public_key(self) -> bytes:
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        return self._signing.sign(data)

    def is_genuine(self, key_id: str, data: bytes, signature: bytes) -> bool:
        raw = self._known.get(key_id)
        if raw is None:
            return False
        try:
            eddsa.new(eddsa.import_public_key(raw), "rfc8032").verify(data, signature)
        except ValueError:
            return False
        return True


def key_id_of(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_key_of(seed: bytes) -> bytes:
    return _raw(ECC.construct(curve=_CURVE, seed=seed))


def _raw(key: ECC.EccKey) -> bytes:
    exported = key.public_key().export_key(format="raw")
    if not isinstance(exported, bytes):
        raise TypeError("a raw public key is bytes")
    return exported
