"""`participant login`: the broker's session of the day, and the proof that it is good."""

import os
import re
import sys
from argparse import Namespace
from urllib.parse import urlencode

from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import BrokerLink, Config, load_config
from participant.core.session import day_of
from participant.links.http_link import Asked, HttpLink
from participant.links.secrets import BadSecret, Key
from participant.operate.brokers import keyring, session_of
from participant.ports import BrokerDown
from participant.wire import kite
from participant.wire.json import Malformed
from participant.wire.kite_rows import Token

KITE_URL = "https://api.kite.trade"
REQUEST_TOKEN = re.compile(r"(?:^|[?&]request_token=)([A-Za-z0-9]{1,64})(?:&|$)")


def login(args: Namespace) -> int:
    """Sign in where the broker asks for it each day, then prove orders, quotes and updates; with --check prove only."""
    config = load_config(args.config, os.environ)
    link = config.broker
    if link.name == "venue":
        raise Refused('[broker] name = "venue": the simulated exchange needs no login; docs/brokers.md has the others')
    try:
        if not args.check:
            _sign_in(args, config)
        session = session_of(link, day_of(SystemClock().now()), config.desk.request_timeout_s)
    except BadSecret as fault:
        raise Refused(str(fault)) from fault
    told = "good for orders, quotes and updates" if session.is_good else f"not good: {session.why}"
    say(args, f"{session.broker}, {session.profile}: the session of {session.day} is {told}", session)
    return DONE if session.is_good else NEEDS_A_PERSON


def _sign_in(args: Namespace, config: Config) -> None:
    link = config.broker
    key = keyring(link).key(link.name, link.profile)
    if link.name != "kite":
        # OpenAlgo's own page signs in to the broker behind it; all that is ours is the key.
        return
    if not key.api_secret:
        raise BadSecret(f"the key for kite in {link.secrets_path} has no api_secret: docs/brokers.md")
    token = _exchanged(link, key, _request_token(args, key), config.desk.request_timeout_s)
    keyring(link).keep_token("kite", token.access_token, kite.good_on(token.login_time))


def _request_token(args: Namespace, key: Key) -> str:
    """The request token given, or the one in the address that Kite sends the browser to after its own sign-in."""
    text = args.request_token
    if text is None:
        sys.stderr.write(
            f"open {kite.LOGIN_URL}?{urlencode({'v': 3, 'api_key': key.api_key})}\n"
            "sign in there: password and second factor are asked for on Kite's own page and never here.\n"
            "Then paste the address that you are sent to, or its request_token:\n"
        )
        text = sys.stdin.readline()
    found = REQUEST_TOKEN.search(text.strip())
    if found is None:
        raise Refused("login: no request_token was given; run it again and paste the address that Kite sends you to")
    return found[1]


def _exchanged(link: BrokerLink, key: Key, request_token: str, timeout_s: float) -> Token:
    """The day's access token for a request token, asked for once."""
    http = HttpLink(link.url or KITE_URL, timeout_s)
    form = urlencode(kite.session_form(key.api_key, request_token, key.api_secret)).encode()
    headers = (("x-kite-version", "3"), ("content-type", "application/x-www-form-urlencoded"))
    try:
        return kite.data_of(*http.ask(Asked("POST", "/session/token", form, headers)), Token)
    except Malformed as fault:
        raise Refused(f"login: Kite gave no access token: {fault}; a request token holds minutes") from fault
    except BrokerDown as fault:
        raise ConnectionError(str(fault)) from fault
    finally:
        http.close()
