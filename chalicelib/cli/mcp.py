"""``auditor mcp``: the auditor as tools for agents, over stdin and stdout."""

from contextlib import ExitStack
from typing import Annotated

import typer

from chalicelib.cli.options import PolicyName, PricesFrom, Profile, Region
from chalicelib.errors import AuditorError, InvalidInput


def mcp(
    profile: Profile = None,
    region: Region = None,
    policy: PolicyName = None,
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="Role to assume: its ARN, or its name for other accounts, too.")
    ] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="External id that the role asks for.")] = None,
    prices: PricesFrom = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the demo account on the embedded emulator.")] = False,
) -> None:
    """Answer agents by the Model Context Protocol on stdin and stdout. Reads only; needs the extra `mcp`."""
    try:
        from chalicelib.cli.agents.server import serve
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise AuditorError(
            f"serving agents needs the package mcp ({error}); accepted is an installation with it: "
            "pip install 'sagemaker-auditor[mcp]'"
        ) from None
    from chalicelib.cli.agents.desk import Desk, Doorway
    from chalicelib.cli.demo import demo_account
    from chalicelib.policy.policy import load_policy

    if external_id is not None and role is None:
        raise InvalidInput("--external-id needs --role", field="--external-id")
    with ExitStack() as stack:
        if demo:
            region = stack.enter_context(demo_account()).region_name
        doorway = Doorway(profile, region, policy, prices, role, external_id)
        load_policy(doorway.service(anywhere=True).settings.policy)  # what is wrong is told before the server listens
        serve(Desk(doorway))
