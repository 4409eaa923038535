"""What each process inherits: what it is there for, and nothing else."""

from participant.operate.environment import NEEDS, environment

OURS = {
    "PATH": "/bin", "HOME": "/root", "LANG": "C", "LC_ALL": "C", "TZ": "UTC", "PYTHONPATH": "src", "TMPDIR": "/tmp",
    "VIRTUAL_ENV": ".venv", "PARTICIPANT_DATA": "data", "PARTICIPANT_CONFIG": "own.toml", "HTTPS_PROXY": "http://u:p@h",
    "PARTICIPANT_KITE_API_SECRET": "canary", "PARTICIPANT_OPENALGO_API_KEY": "canary",
    "PARTICIPANT_NOTIFY_VOICE_PRIMARY": "canary", "AWS_SECRET_ACCESS_KEY": "canary", "SSH_AUTH_SOCK": "canary",
    "PATHOLOGY": "canary", "SSL_CERT_FILE": "ca.pem",
}  # fmt: skip
PLAIN = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV", "PARTICIPANT_DATA"}
KEYS = {"PARTICIPANT_KITE_API_SECRET", "PARTICIPANT_OPENALGO_API_KEY", "SSL_CERT_FILE"}
TELLING = {"PARTICIPANT_NOTIFY_VOICE_PRIMARY", "HTTPS_PROXY"}


def test_each_process_inherits_what_python_needs_and_what_it_is_there_for() -> None:
    more = {"gateway": KEYS, "desk": KEYS | TELLING, "venue": {"PARTICIPANT_CONFIG"}}
    assert set(NEEDS) == set(more)
    for name in ("ingest", "dispatch", "breaker", "brain", *more):
        assert set(environment(name, OURS)) == PLAIN | more.get(name, set()), name


def test_what_is_inherited_is_as_it_was() -> None:
    assert environment("ingest", OURS)["PATH"] == "/bin"
