"""Records of AWS's price list in one line, and those that mislead."""

import copy
import json
from typing import Any

REGION = "eu-west-1"


def a_term(usd: str = "0.23", unit: str = "Hrs", currency: str = "USD", dimensions: int = 1) -> dict[str, Any]:
    """An on-demand term with so many price dimensions."""
    return {
        "effectiveDate": "2026-11-01T00:00:00Z",
        "termAttributes": {},
        "priceDimensions": {
            f"SKU.JRTCKXETXF.{number}": {
                "unit": unit,
                "description": f"${usd} per hour",
                "pricePerUnit": {currency: usd},
                "appliesTo": [],
            }
            for number in range(dimensions)
        },
    }


def a_record(
    name: str = "ml.m5.xlarge",
    component: str | None = "Hosting",
    usd: str = "0.2300000000",
    *,
    region: str = REGION,
    terms: dict[str, Any] | None = None,
    vcpus: int = 4,
    memory: str = "16 GiB",
    family: str = "ML Instance",
    published: str = "2026-11-20T10:11:12Z",
    **attributes: Any,
) -> dict[str, Any]:
    """A record as ``GetProducts`` answers it. An attribute that is None is left out; ``terms``: on-demand ones."""
    product_attributes = {
        "servicecode": "AmazonSageMaker",
        "servicename": "Amazon SageMaker",
        "location": "EU (Ireland)",
        "locationType": "AWS Region",
        "regionCode": region,
        "instanceName": name,
        "instanceType": f"{name}-{component}",
        "component": component,
        "platoinstancetype": component,
        "computeType": "Standard Instances",
        "currentGeneration": "Yes",
        "vCpu": str(vcpus),
        "memory": memory,
        "operation": "RunInstance",
        "usagetype": f"EU-Host:{name}",
        **attributes,
    }
    return {
        "product": {
            "productFamily": family,
            "sku": "SKU",
            "attributes": {key: value for key, value in product_attributes.items() if value is not None},
        },
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": a_term(usd)} if terms is None else terms},
        "version": "20261120101112",
        "publicationDate": published,
    }


def two_terms(first: str = "0.23", second: str = "0.11") -> dict[str, Any]:
    return {"SKU.A": a_term(first), "SKU.B": a_term(second)}


#: Records that look like the price of ml.m5.xlarge in Hosting and are none, by what is wrong with them.
MISLEADING: dict[str, dict[str, Any]] = {
    "the fee of a training plan has no component": a_record(
        component=None, usd="0.11", usagetype="EU-ReservedTraining:ml.m5.xlarge"
    ),
    "another use": a_record(component="Training", usd="0.11"),
    "another type": a_record(name="ml.m5.2xlarge", usd="0.11"),
    "another region": a_record(region="us-east-1", usd="0.11"),
    "an Outpost": a_record(usd="0.11", locationType="AWS Outposts"),
    "another product": a_record(usd="0.11", family="ML Serverless"),
    "two terms": a_record(terms=two_terms()),
    "no term": a_record(terms={}),
    "two dimensions": a_record(terms={"SKU.A": a_term("0.11", dimensions=2)}),
    "by the second": a_record(terms={"SKU.A": a_term("0.11", unit="Seconds")}),
    "in another currency": a_record(terms={"SKU.A": a_term("0.11", currency="CNY")}),
    "free": a_record(usd="0.0000000000"),
    "negative": a_record(usd="-0.1100000000"),
    "no number": a_record(usd="call us"),
    "infinite": a_record(usd="inf"),
    "EC2's name of the type": a_record(name="m5.xlarge", usd="0.11"),
}
#: GovCloud names what it is used for in other words of ``usagetype``.
GOVCLOUD = a_record(
    region="us-gov-west-1", usagetype="UGW1-Hosting-Std:ml.m5.xlarge", location="AWS GovCloud (US-West)"
)


def items(*records: dict[str, Any]) -> list[str]:
    """Records as the API answers them: each a text of JSON."""
    return [json.dumps(record) for record in copy.deepcopy(records)]
