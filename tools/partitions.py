"""AWS's partitions as botocore knows them, as a table that the auditor reads without botocore."""

from botocore.loaders import Loader

HEAD = """\
# AWS's partitions: their regions, the pattern that regions to come will match, and what host names end in.
# Written by `make generate` from the botocore that is installed; `make drift` fails when the two differ.
source: botocore, data/partitions.json
partitions:
"""


def partitions_table() -> str:
    """``policies/data/partitions.yaml``."""
    partitions = sorted(Loader().load_data("partitions")["partitions"], key=lambda partition: partition["id"])
    lines = [HEAD]
    for partition in partitions:
        regions = sorted(region for region in partition["regions"] if not region.startswith("aws-"))
        lines.append(f"  - id: {partition['id']}\n")
        lines.append(f"    dns_suffix: {partition['outputs']['dnsSuffix']}\n")
        lines.append(f"    region_pattern: '{partition['regionRegex']}'\n")
        lines.append("    regions:\n")
        lines += [f"      - {region}\n" for region in regions]
    return "".join(lines)
