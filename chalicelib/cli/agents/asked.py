"""What each tool is asked, as models: their JSON Schemas are the input schemas that a client sees."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.report.severity import Severity
from chalicelib.web.requests import ACCOUNT, Request

#: Heads of findings, whole findings, outcomes and endpoints of one answer, at most.
MOST_HEADS, MOST_FINDINGS, MOST_OUTCOMES, MOST_ENDPOINTS = 200, 50, 200, 100

Regions = Annotated[tuple[str, ...], Field(max_length=40, description="AWS regions. Default: that of the server.")]
Rules = Annotated[
    tuple[str, ...], Field(max_length=200, description="Ids of rules to judge by. Default: those of the policy.")
]
Mildest = Annotated[Severity, Field(description="The mildest to list.")]
Heads = Annotated[int, Field(ge=1, le=MOST_HEADS, description="Findings to list, at most; the others are counted.")]


class AuditAsked(Request):
    """Which accounts, regions or resources to audit now; nothing named is everything in the server's region."""

    regions: Regions = ()
    all_regions: Annotated[bool, Field(description="Every region that the account has enabled.")] = False
    accounts: Annotated[
        tuple[Annotated[str, Field(pattern=ACCOUNT)], ...],
        Field(max_length=100, description="Ids of 12 digits, entered by the role of the server. Default: its own."),
    ] = ()
    resources: Annotated[tuple[str, ...], Field(max_length=20, description="ARNs of resources. Default: all.")] = ()
    rules: Rules = ()
    severity: Mildest = Severity.INFO
    limit: Heads = 20


class FindingsAsked(Request):
    """Which findings of an audit to tell whole, page by page."""

    audit_id: Annotated[
        str | None, Field(description="That of `audit` or `plan`. Default: the last; without any, one is made.")
    ] = None
    id: Annotated[str | None, Field(description="The id of one finding, as f-15db2cd34d5c1bd9b4b1.")] = None
    severity: Mildest = Severity.INFO
    status: Annotated[Literal["open", "exempt"], Field(description="Only these.")] = "open"
    rule: Annotated[str | None, Field(description="The id of a rule.")] = None
    topic: Annotated[str | None, Field(description="The topic of a rule.")] = None
    resource: Annotated[str | None, Field(description="The ARN or the name of a resource.")] = None
    owner: Annotated[str | None, Field(description="The owner, as findings name it.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_FINDINGS, description="The most of a page.")] = 10
    cursor: Annotated[str | None, Field(description="That of the page before.")] = None


class ExplainAsked(Request):
    """The resource of which every rule's outcome is told, with its reason and the facts that were read."""

    resource: Annotated[str, Field(min_length=1, description="Its ARN, or its name as findings show it.")]
    region: Annotated[str | None, Field(description="Default: that of the ARN, else that of the server.")] = None
    rule: Annotated[str | None, Field(description="Only the outcome of this rule.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_OUTCOMES, description="Outcomes to list, at most.")] = 50


class ComesBackAsked(Request):
    """The endpoint that is asked about; none named is each one of the region, those first that would not come back."""

    endpoint: Annotated[str | None, Field(min_length=1, description="Its name or ARN. Default: all.")] = None
    region: Annotated[str | None, Field(description="Default: that of the ARN, else that of the server.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_ENDPOINTS, description="Endpoints to list, at most.")] = 20


class PlanAsked(Request):
    """The templates to judge before they are deployed, as files of the machine on which the server runs."""

    files: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(
            min_length=1,
            max_length=50,
            description="Paths of CloudFormation templates, of the JSON of Terraform plans, or of folders of them.",
        ),
    ]
    parameters: dict[str, str] = Field(default_factory=dict, description="Values of the templates' parameters.")
    region: Annotated[str | None, Field(description="Region of the deployment. Default: that of the server.")] = None
    rules: Rules = ()
    severity: Mildest = Severity.INFO
    limit: Heads = 20


class RuleAsked(Request):
    """The rule to tell in full."""

    id: Annotated[str, Field(min_length=1, description="Its id, as findings name it.")]
