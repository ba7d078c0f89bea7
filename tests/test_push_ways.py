"""On which ways profiles go to a server: by TLS only to one that the system's certificates vouch for, and by a proxy
where the environment names one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from support.command import Argument, Command
from support.interpreters import Interpreter
from support.profile_server import CERTIFICATE, profile_server, pushed

PROGRAM = "import time; time.sleep(1.2); print('done')"
TOKEN = "Bearer of-the-shop"

# Where libcurl was built to look for them: on Debian, and on Fedora.
BUNDLES = [Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt")]


def push(
    stacklapse: Command,
    python: Interpreter,
    address: str,
    environment: Mapping[str, str] | None = None,
    launcher: Sequence[Argument] = (),
) -> str:
    """What is said of the profiles of a program that goes well. The tests' own proxies are not asked."""
    inherited = {name: value for name, value in stacklapse.environment().items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [*launcher, stacklapse.path, "--python", python.path, "--every", "1s", "--push", address, "-c", PROGRAM],
        env=inherited | {"STACKLAPSE_PUSH_HEADERS": f"Authorization={TOKEN}"} | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert TOKEN.split()[1] not in done.stderr
    return done.stderr


def test_a_server_with_a_certificate_of_its_own_making_gets_nothing(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with profile_server(certified=True) as server:
        said = push(stacklapse, any_python, server.address)
    assert server.greeted.is_set()
    assert not server.requests
    assert re.search(rf"could not be sent: cannot send to {server.address}/\S+: .*certificate", said), said
    assert "stacklapse: sent " not in said


@pytest.fixture
def trusting() -> list[Argument]:
    """Begins a command for which the tests' certificate is the only one that the system has."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    bundle = next((path for path in BUNDLES if path.exists()), None)
    if bundle is None:
        pytest.skip("the system's certificates are not where they usually are")
    return [*unshare, "sh", "-c", f'mount --bind "{CERTIFICATE}" "{bundle}" && exec "$@"', "-"]


def test_a_server_that_the_system_vouches_for_gets_profiles(
    stacklapse: Command, any_python: Interpreter, trusting: list[Argument]
) -> None:
    with profile_server(certified=True) as server:
        said = push(stacklapse, any_python, server.address, launcher=trusting)
    assert f"stacklapse: sent {len(server.requests)} recordings to {server.address}\n" in said
    for request in server.requests:
        assert request.headers["authorization"] == TOKEN
        assert pushed(request)


def test_a_certificate_of_another_name_is_none(
    stacklapse: Command, any_python: Interpreter, trusting: list[Argument]
) -> None:
    with profile_server(certified=True) as server:
        said = push(stacklapse, any_python, server.address.replace("127.0.0.1", "localhost"), launcher=trusting)
    assert server.greeted.is_set()
    assert not server.requests
    assert "could not be sent: cannot send to https://localhost:" in said


def test_a_proxy_passes_on_what_is_not_secret(stacklapse: Command, any_python: Interpreter) -> None:
    """The name of the server is for the proxy to look up: there is none of this one."""
    with profile_server() as proxy:
        said = push(stacklapse, any_python, "http://shop.invalid:4040", {"http_proxy": proxy.address})
    assert f"stacklapse: sent {len(proxy.requests)} recordings to http://shop.invalid:4040\n" in said
    for request in proxy.requests:
        assert (request.method, request.path) == ("POST", "http://shop.invalid:4040/push.v1.PusherService/Push")
        assert pushed(request)


def test_a_proxy_of_https_learns_the_name_of_the_server_alone(stacklapse: Command, any_python: Interpreter) -> None:
    with profile_server() as proxy:
        said = push(stacklapse, any_python, "https://shop.invalid", {"https_proxy": proxy.address})
    assert "the proxy that the environment names answered HTTP 502" in said
    assert proxy.requests
    for request in proxy.requests:
        assert (request.method, request.path, request.body) == ("CONNECT", "shop.invalid:443", b"")
        assert "authorization" not in request.headers


def test_a_proxy_is_not_asked_for_what_no_proxy_names(stacklapse: Command, any_python: Interpreter) -> None:
    with profile_server() as proxy, profile_server() as server:
        variables = {"http_proxy": proxy.address, "no_proxy": "shop.invalid,127.0.0.1"}
        said = push(stacklapse, any_python, server.address, variables)
    assert f"stacklapse: sent {len(server.requests)} recordings to {server.address}\n" in said
    assert server.requests
    assert not proxy.requests
