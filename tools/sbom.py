"""What the zip is made of, as a bill of materials (CycloneDX 1.6, JSON): the same bytes for the same wheels."""

import hashlib
import zipfile
from collections.abc import Iterable
from email import message_from_string
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from chalicelib import __version__


def sbom(wheels: Iterable[Path]) -> str:
    """The document for a zip that holds these wheels, and the runtime that Chalice puts beside them."""
    root = Component(
        name="sagemaker-auditor", version=__version__, type=ComponentType.APPLICATION, bom_ref="sagemaker-auditor"
    )
    parts = [*(_of_wheel(wheel) for wheel in wheels), _library("chalice", version("chalice"))]
    bom = Bom(components=parts)
    bom.metadata.component = root
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the document says what, not when
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join(sorted(str(part.purl) for part in parts)))
    bom.register_dependency(root, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _of_wheel(wheel: Path) -> Component:
    """A wheel by the name, version and license in its metadata, and the hash of the file."""
    metadata = _metadata(wheel)
    part = _library(metadata["Name"], metadata["Version"])
    part.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(wheel.read_bytes()).hexdigest()))
    if license := metadata.get("License-Expression") or metadata.get("License"):
        part.licenses.add(LicenseFactory().make_from_string(license))
    return part


def _library(name: str, version: str) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl))


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(archive.read(member).decode("utf-8"))
