"""What each process of the desk inherits of our environment: what Python needs to start, and what it is there for.

Rule: what is not named here is not inherited, so no process holds a secret by accident.
"""

from collections.abc import Mapping

from participant.links.addresses import PREFIX as ADDRESSES
from participant.links.secrets import PREFIX
from participant.operate.brokers import VENDORS

# A name that ends in `_` stands for all that begin so; PYTHON for its own.
EVERYONE = (
    "PATH", "HOME", "LANG", "LANGUAGE", "LC_", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHON", "PARTICIPANT_DATA",
)  # fmt: skip
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
PROXIES = tuple(
    cased for name in ("HTTP", "HTTPS", "ALL", "NO") for cased in (f"{name}_PROXY", f"{name}_PROXY".lower())
)
KEYS = tuple(f"{PREFIX}_{broker.upper()}_" for broker in VENDORS)
NEEDS: dict[str, tuple[str, ...]] = {
    "gateway": (*KEYS, *CERTIFICATES),
    "desk": (*KEYS, ADDRESSES, *CERTIFICATES, *PROXIES),  # it reads the broker's books, and tells people
    "venue": ("PARTICIPANT_CONFIG",),
}


def environment(process: str, ours: Mapping[str, str]) -> dict[str, str]:
    """The environment of one process of the desk, by its name."""
    named = (*EVERYONE, *NEEDS.get(process, ()))
    begins = tuple(name for name in named if name.endswith("_") or name == "PYTHON")
    return {name: value for name, value in ours.items() if name in named or name.startswith(begins)}
