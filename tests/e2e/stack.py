"""The packed stack, deployed on emulators on loopback, and what a test does to it and sees of it.

Two emulators stand side by side. ``emulator`` answers for what is audited: SageMaker, EC2, Application Auto Scaling,
CloudWatch, Organizations, STS. ministack runs what is deployed: CloudFormation, Lambda, EventBridge, SNS, SQS, API
Gateway, DynamoDB, IAM. The functions find both through the environment, as any AWS SDK does; the template is the one
that goes to AWS.
"""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.events import payload
from tools.deploy import Wish, deploy
from tools.package import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = ROOT / ".venv-e2e"
BUCKET = "auditor-uploads"
#: Sources of events: PutEvents refuses those that begin with "aws.".
SOURCES = {
    "AUDITOR_SAGEMAKER_SOURCE": "demo.sagemaker",
    "AUDITOR_SCALING_SOURCE": "demo.application-autoscaling",
    "AUDITOR_AUTOSCALING_SOURCE": "demo.autoscaling",
    "AUDITOR_EC2_SOURCE": "demo.ec2",
    "AUDITOR_CLOUDWATCH_SOURCE": "demo.monitoring",
    "AUDITOR_HEALTH_SOURCE": "demo.health",
}
#: The services that the emulator answers for; ministack answers for all others.
AUDITED = (
    "SAGEMAKER",
    "EC2",
    "APPLICATION_AUTO_SCALING",
    "CLOUDWATCH",
    "SERVICE_QUOTAS",
    "ORGANIZATIONS",
    "STS",
)
#: How long a test waits for what must come.
PATIENCE = 90.0
#: How long nothing must come before a test believes that nothing comes.
SILENCE = 3.0

T = TypeVar("T")

#: The condition by which roles write in the own account alone.
IN_THE_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}


def eventually(look: Callable[[], T | None], what: str, patience: float = PATIENCE, pause: float = 0.1) -> T:
    """What ``look`` gives once it gives something true. Raises AssertionError when it never does."""
    until = time.monotonic() + patience
    while True:
        result = look()
        if result:
            return result
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(pause)


# ---- ministack


def ministack_python() -> Path:
    """The Python that has ministack; its environment is made when it is absent or older than its requirements."""
    python, ready = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".ready"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
        subprocess.run([str(python), *install], check=True)
        ready.write_text(wanted, encoding="utf-8")
    return python


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_certificate(certificate: Path, key: Path) -> None:
    """A certificate for the loopback address: the topics take nothing that comes unencrypted."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    signing = "content_commitment", "key_cert_sign", "crl_sign"
    other = "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"
    usage = dict.fromkeys((*signing, *other), False)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, *form))


@dataclass
class Ministack:
    """ministack as a process of its own, with the policies of the roles enforced."""

    emulator: Emulator
    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What points an AWS SDK at both emulators."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **{f"AWS_ENDPOINT_URL_{service}": self.emulator.url for service in AUDITED},
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.certificate),
        }

    @property
    def certificate(self) -> Path:
        """What its clients trust."""
        return self.folder / "certificate.pem"

    @property
    def log(self) -> str:
        """What it and the functions have said."""
        return (self.folder / "ministack.log").read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def running(self) -> Iterator["Ministack"]:
        """Runs it until the block ends. The functions inherit its environment."""
        home, key = self.folder / "home", self.folder / "key.pem"
        home.mkdir()
        write_certificate(self.certificate, key)
        inherited = {name: value for name, value in self.environment.items() if name != "AWS_ENDPOINT_URL"}
        inherited["AWS_ENDPOINT_URL_IAM"] = self.emulator.url  # roles of the stack itself are ministack's
        environment = {
            **inherited,
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true",
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificate),
            "MINISTACK_SSL_KEY": str(key),
        }
        with (self.folder / "ministack.log").open("wb") as log:
            process = subprocess.Popen(
                [str(ministack_python()), "-m", "ministack"], cwd=home, env=environment, stdout=log, stderr=log
            )
            try:
                eventually(lambda: self._listens(process), "ministack to listen")
                self.pid = process.pid
                yield self
            finally:
                process.terminate()
                try:
                    process.wait(timeout=3)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _listens(self, process: "subprocess.Popen[bytes]") -> bool:
        assert process.poll() is None, f"ministack ended:\n{self.log}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def workers(self, function: str) -> list[int]:
        """The ids of the processes that run a function."""
        ids = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and f"\nPPid:\t{self.pid}\n" in (folder / "status").read_text():
                    environment = (folder / "environ").read_bytes().split(b"\0")
                    if f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() in environment:
                        ids.append(int(folder.name))
            except OSError:
                continue  # it has ended in the meantime
        return ids

    def kill_workers(self, function: str) -> int:
        """Kills the processes that run a function as a machine that goes away would; gives their number."""
        workers = self.workers(function)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        return len(workers)


# ---- the deployed stack


@dataclass(frozen=True)
class HttpAnswer:
    """What the API answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Stack:
    """The auditor's stack as deployed, with a subscriber on its topic."""

    ministack: Ministack
    session: boto3.Session
    folder: Path
    pack: Callable[[Path, str], Path]
    outputs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """A client of the account in which the auditor runs."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    @property
    def emulator(self) -> Emulator:
        """What is audited."""
        return self.ministack.emulator

    def deploy(self, **parameters: str) -> None:
        """Deploys as ``make deploy`` does; parameters that are not given stay as they are."""
        said: list[str] = []
        wish = Wish("prod", BUCKET, parameters=parameters, dirty=True)
        try:
            self.outputs = deploy(
                self.session, wish, say=said.append, sleep=lambda _: time.sleep(0.2), pack=self.pack, root=self.folder
            )
        except Exception as failed:
            failed.add_note("\n".join(said[-20:]))
            raise
        self._bridge()

    def _bridge(self) -> None:
        """Where ministack is not like AWS: it compares the concurrency of a queue's function with what the template
        says as text, looks for an action sqs:SendMessageBatch, where AWS looks for sqs:SendMessage, and knows no
        aws:ResourceAccount, so that it refuses whatever that narrows."""
        (mapping,) = self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        self.client("lambda").update_event_source_mapping(
            UUID=mapping["UUID"],
            ScalingConfig={"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])},
        )

        for function in self.client("lambda").list_functions()["Functions"]:
            role = function["Role"].rsplit("/", 1)[-1]
            self._without_resource_account(role)
            batches = [
                {**statement, "Action": "sqs:SendMessageBatch"}
                for statement in self.statements(role)
                if statement["Action"] in ("sqs:SendMessage", ["sqs:SendMessage"])
            ]
            if batches:
                policy = json.dumps({"Version": "2012-10-17", "Statement": batches})
                self.client("iam").put_role_policy(RoleName=role, PolicyName="batches", PolicyDocument=policy)

    def _without_resource_account(self, role: str) -> None:
        for name, policy in self.policies(role).items():
            statements = [
                {key: value for key, value in statement.items() if key != "Condition" or value != IN_THE_ACCOUNT}
                for statement in policy["Statement"]
            ]
            document = json.dumps({**policy, "Statement": statements})
            self.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    def policies(self, role: str) -> dict[str, Any]:
        """The policies of a role by name."""
        iam = self.client("iam")
        return {
            name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        }

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of a role's policies."""
        return [statement for policy in self.policies(role).values() for statement in policy["Statement"]]

    @contextmanager
    def without(self, handler: str, action: str) -> Iterator[None]:
        """Takes one action away from the role of a function until the block ends."""
        iam, role = self.client("iam"), self.role(handler)
        for name, whole in self.policies(role).items():
            actions = [
                [entry] if isinstance(entry, str) else entry for entry in (s["Action"] for s in whole["Statement"])
            ]
            if not any(action in group for group in actions):
                continue
            left = [
                {**statement, "Action": kept}
                for statement, group in zip(whole["Statement"], actions, strict=True)
                if (kept := [entry for entry in group if entry != action])
            ]
            less = json.dumps({**whole, "Statement": left})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=less)
            try:
                yield
            finally:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
            return
        raise AssertionError(f"{role} has no {action}")

    # ---- what is told

    def subscribe(self) -> None:
        """Puts a queue on the findings topic."""
        sqs = self.client("sqs")
        self.inbox = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber"
        topic = self.outputs["FindingsTopicArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self.inbox, Attributes={"Policy": policy})
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def received(self) -> list[dict[str, Any]]:
        """The notices that have come since the last look."""
        return [json.loads(json.loads(message["Body"])["Message"]) for message in self.taken(self.inbox)]

    def taken(self, queue: str) -> list[dict[str, Any]]:
        """The messages of a queue, taken away."""
        sqs, all_messages = self.client("sqs"), []
        while messages := sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            all_messages += messages
        return all_messages

    def notices(self, number: int, what: str) -> list[dict[str, Any]]:
        """So many notices, which must come, and no further one."""
        notices: list[dict[str, Any]] = []

        def enough() -> bool:
            notices.extend(self.received())
            return len(notices) >= number

        eventually(enough, f"{what} ({number} notices)")
        notices += self.silence()
        assert len(notices) == number, f"{len(notices)} notices for {what}"
        return notices

    def silence(self) -> list[dict[str, Any]]:
        """What comes within a while in which nothing should."""
        time.sleep(SILENCE)
        return self.received()

    # ---- what happens

    def event(self, name: str, **detail: Any) -> None:
        """A native event of SageMaker about an endpoint, through EventBridge."""
        sample = payload("endpoint-in-service")
        entry = {
            "Source": SOURCES["AUDITOR_SAGEMAKER_SOURCE"],
            "DetailType": sample["detail-type"],
            "Detail": json.dumps({**sample["detail"], "EndpointName": name, **detail}),
        }
        answer = self.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer

    def function(self, handler: str) -> str:
        """The name of the function with this handler."""
        functions = self.client("lambda").list_functions()["Functions"]
        (name,) = [function["FunctionName"] for function in functions if function["Handler"] == f"app.{handler}"]
        return str(name)

    def role(self, handler: str) -> str:
        """The name of the role of the function with this handler."""
        config = self.client("lambda").get_function_configuration(FunctionName=self.function(handler))
        return str(config["Role"].rsplit("/", 1)[-1])

    def configure(self, handler: str, **settings: Any) -> None:
        """Changes the settings of a function."""
        self.client("lambda").update_function_configuration(FunctionName=self.function(handler), **settings)

    def visibility(self, seconds: int) -> None:
        """How long a part that was given out stays hidden before it is given again."""
        self.client("sqs").set_queue_attributes(
            QueueUrl=self.outputs["PartsQueueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
        )

    def http(
        self, method: str, path: str, body: Any = None, *, signed: bool = True, accept: str = "application/json"
    ) -> HttpAnswer:
        """A request to the deployed API."""
        url = f"{self.ministack.url}/_aws/execute-api/{self.outputs['RestAPIId']}/api{path}"
        data = json.dumps(body).encode() if body is not None else b""
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json", "Accept": accept})
        if signed:
            SigV4Auth(self.session.get_credentials(), "execute-api", REGION).add_auth(request)
        connection = http.client.HTTPSConnection(
            "127.0.0.1",
            self.ministack.port,
            timeout=60,
            context=ssl.create_default_context(cafile=str(self.ministack.certificate)),
        )
        try:
            connection.request(method, urlsplit(url).path, body=data, headers=dict(request.headers.items()))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        content = (
            text if "json" not in answer.headers.get("Content-Type", "json") else json.loads(text) if text else None
        )
        return HttpAnswer(answer.status, content, dict(answer.getheaders()))

    def audit(self, **body: Any) -> str:
        """Begins an audit over HTTP that is a run; gives its id."""
        begun = self.http("POST", "/audit", body)
        assert begun.status == 202, begun
        return str(begun.body["audit_id"])

    def run(self, id: str) -> dict[str, Any]:
        """How far a run has come."""
        answer = self.http("GET", f"/audit/runs/{id}")
        assert answer.status == 200, answer
        assert isinstance(answer.body, dict)
        return answer.body

    def done(self, id: str) -> dict[str, Any]:
        """A run that has come to its end, which it must. Asks slowly, as the API takes few requests a second."""

        def look() -> dict[str, Any] | None:
            run = self.run(id)
            return run if run["state"] in ("done", "failed") else None

        return eventually(look, f"run {id} to be done", pause=0.5)

    def said(self, since: float = 0.0) -> str:
        """What the functions have written into their logs since a moment (seconds since the epoch)."""
        logs, lines = self.client("logs"), []
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"], startTime=int(since * 1000)
            )
            lines += [
                f"{group['logGroupName']}: {event['message'].rstrip()}" for page in pages for event in page["events"]
            ]
        return "\n".join(lines)

    # ---- what is audited

    def member(self, account: str, service: str, region: str = REGION) -> Any:
        """A client in another account."""
        return self.emulator.client(service, region, account)

    def endpoint(self, name: str, account: str = ACCOUNT, region: str = REGION, count: int = 1) -> None:
        """An endpoint with a config and a model of its own."""
        sagemaker = self.member(account, "sagemaker", region)
        role = f"arn:aws:iam::{account}:role/r"
        iam = self.member(account, "iam", region)
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
        image = f"{account}.dkr.ecr.{region}.amazonaws.com/own:1"
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def changes_of(notices: Sequence[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    """What notices say: change, rule and resource."""
    return {
        (change["change"], change["finding"]["rule"], change["finding"]["resource"]["name"])
        for notice in notices
        for change in notice["told"]
    }
