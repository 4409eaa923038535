"""The mappings of JSON providers: those that come with the package, and a user's own files."""

from functools import lru_cache
from importlib import resources
from pathlib import Path

from participant.wire.json_map.mapping import BadMapping, Mapping, parse_mapping

BYTES_MAX = 1_000_000


@lru_cache(maxsize=1)
def shipped() -> dict[str, Mapping]:
    """The mappings that come with the package (`participant/providers/*.toml`), by name."""
    folder = resources.files("participant") / "providers"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): parse_mapping(f"providers/{f.name}", f.read_bytes()) for f in files}


def mapping_of(name: str) -> Mapping:
    """The mapping that ships by this name, or the one in a file of it (it ends in .toml); raises BadMapping."""
    if not name.endswith(".toml"):
        found = shipped().get(name)
        if found is None:
            raise BadMapping(
                f"no mapping {name!r} ships; there are {', '.join(shipped())}, or name a file that ends in .toml"
            )
        return found
    file = Path(name).expanduser()
    try:
        with file.open("rb") as opened:
            body = opened.read(BYTES_MAX + 1)
    except OSError as fault:
        raise BadMapping(f"{file}: {fault.strerror}: name a mapping file that can be read") from None
    if len(body) > BYTES_MAX:
        raise BadMapping(f"{file}: more than {BYTES_MAX} bytes, so no mapping")
    return parse_mapping(str(file), body)
