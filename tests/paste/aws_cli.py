"""The real AWS CLI under a real shell, cheaply: loaded once, in a process that forks for each command.

``python -m tests.paste.aws_cli SOCKET [dry]`` is that process. The ``aws`` of a :class:`Shell` hands its arguments,
folder and files over to it. With ``dry`` no request leaves: once the CLI has parsed a command and botocore has
validated its parameters, the answer is made up from the output shape of the operation.
"""

import gc
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVICES = ("sagemaker", "application-autoscaling", "cloudtrail", "cloudwatch", "ec2", "logs")
_ROOT = Path(__file__).resolve().parents[2]
#: Sends its arguments, folder and standard files to the socket, and ends with the exit code that comes back.
_AWS = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({socket!r})
    asked = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd()}}).encode()
    socket.send_fds(connection, [asked], [0, 1, 2])
    connection.shutdown(socket.SHUT_WR)
    sys.exit(int(connection.recv(8) or 255))
"""


class Shell:
    """A bash in a folder of its own, whose ``aws`` is the AWS CLI with this environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, dry: bool = False) -> None:
        self._folder = folder
        self._socket = str(folder / "cli.socket")
        programs = folder / "bin"
        programs.mkdir()
        aws = programs / "aws"
        aws.write_text(_AWS.format(python=sys.executable, socket=self._socket))
        aws.chmod(0o755)
        self._environment = {**os.environ, **environment, "PATH": f"{programs}:{os.environ['PATH']}"}
        self._environment["AWS_CONFIG_FILE"] = self._environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.paste.aws_cli", self._socket, *(("dry",) if dry else ())],
            cwd=_ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("the AWS CLI did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def paste(self, commands: Sequence[str], folder: str = "work", program: str = "bash") -> tuple[str, str]:
        """What the commands print, and what they complain about, each run after the other whatever became of it.

        A command that fails, within a pipe too, is named among the complaints.
        """
        place = self._folder / folder
        place.mkdir(exist_ok=True)
        lines = ["set -o pipefail"]
        for number, command in enumerate(commands, 1):
            lines += [command, f'[ $? = 0 ] || echo "command {number} failed" >&2']
        done = subprocess.run(
            [program],
            input="\n".join(lines),
            cwd=place,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.stdout, done.stderr


def _driver(dry: bool) -> Any:
    """The CLI with its parsers and the clients of the services made."""
    from awscli import clidriver

    driver = clidriver.create_clidriver()
    _wait_once()
    if dry:
        _answer_without_asking(driver)
    output = sys.stdout
    with open(os.devnull, "w") as nowhere:
        sys.stdout = nowhere
        for service in SERVICES:
            operation = next(iter(driver.session.get_service_model(service).operation_names))
            driver.main([service, clidriver.xform_name(operation, "-"), "--generate-cli-skeleton"])
        sys.stdout = output
    create, region = driver.session.create_client, os.environ["AWS_REGION"]
    clients = {service: create(service, region_name=region) for service in SERVICES}
    # The others are rare: each is made where it is asked for.
    driver.session.create_client = lambda service, **_: clients.get(service) or create(service, region_name=region)
    return driver


def _wait_once() -> None:
    """On the emulator everything has happened at once, or never will."""
    from botocore.waiter import Waiter  # once awscli is loaded, this is the botocore that it brings

    wait = Waiter.wait
    Waiter.wait = lambda self, **parameters: wait(self, **{**parameters, "WaiterConfig": {"MaxAttempts": 1}})


def _answer_without_asking(driver: Any) -> None:
    from botocore.waiter import Waiter

    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        made_up = _made_up(model.output_shape) if model.output_shape else {}
        one_page = {name: value for name, value in made_up.items() if not name.lower().startswith(("next", "marker"))}
        return type("Response", (), {"status_code": 200})(), one_page

    driver.session.register("before-call", answer)
    Waiter.wait = lambda self, **parameters: self._operation_method(**parameters)


def _made_up(shape: Any, name: str = "", within: tuple[str, ...] = ()) -> Any:
    """The least value that a shape takes, with all its members; what holds itself is left out within itself."""
    least = shape.metadata.get("min", 1)
    match shape.type_name:
        case "structure":
            inner = (*within, shape.name)
            members = {key: member for key, member in shape.members.items() if member.name not in inner}
            chosen = list(members.items())[:1] if shape.is_tagged_union else members.items()
            return {key: _made_up(member, key, inner) for key, member in chosen}
        case "list":
            return [_made_up(shape.member, name, within)] * max(least, 1)
        case "map":
            return {"key": _made_up(shape.value, name, within)}
        case "string":
            return (getattr(shape, "enum", None) or [name.ljust(least, "x")])[0]
        case "boolean":
            return True
        case "timestamp":
            return "2026-11-25T12:00:00Z"
        case _:
            return least


def _serve(path: str, dry: bool) -> None:
    driver = _driver(dry)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                os._exit(_run(driver, connection))
            connection.close()
            _reap()


def _reap() -> None:
    """Takes leave of the commands that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # none runs


def _run(driver: Any, connection: socket.socket) -> int:
    """One command, in a process of its own."""
    asked, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while part := connection.recv(1 << 20):
        asked += part
    for number, file in enumerate(files):
        os.dup2(file, number)
    call = json.loads(asked)
    os.chdir(call["folder"])
    try:
        code = int(driver.main(call["arguments"]) or 0)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code).encode())
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2:] == ["dry"])
