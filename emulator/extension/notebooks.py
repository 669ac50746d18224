"""Notebook instances of any type, with the members that moto leaves out."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import NOTEBOOK_INSTANCE, add, find, now, remove
from emulator.extension.registry import invalid, operation

Request = dict[str, Any]
_DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": "notebook-al2-v2",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
_RENAMED = {"SecurityGroupIds": "SecurityGroups", "LifecycleConfigName": "NotebookInstanceLifecycleConfigName"}


@operation("sagemaker", "CreateNotebookInstance")
def create_notebook_instance(backend: Any, request: Request) -> Request:
    fields: Request = {member: request.get(member, value) for member, value in _DEFAULTS.items()}
    fields.update({described: request.get(asked) for asked, described in _RENAMED.items()})
    if "SubnetId" in request:
        fields["NetworkInterfaceId"] = "eni-0emulated"
    name = request["NotebookInstanceName"]
    record = add(
        backend,
        NOTEBOOK_INSTANCE,
        request,
        NotebookInstanceStatus="InService",
        Url=f"{name}.notebook.{backend.region_name}.sagemaker.aws",
        LastModifiedTime=now(),
        **fields,
    )
    return {"NotebookInstanceArn": record.arn}


@operation("sagemaker", "DescribeNotebookInstance")
def describe_notebook_instance(backend: Any, request: Request) -> Request:
    return find(backend, NOTEBOOK_INSTANCE, request["NotebookInstanceName"]).described()


@operation("sagemaker", "UpdateNotebookInstance")
def update_notebook_instance(backend: Any, request: Request) -> Request:
    record = find(backend, NOTEBOOK_INSTANCE, request["NotebookInstanceName"])
    if record.fields["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
        status = record.fields["NotebookInstanceStatus"]
        raise invalid(
            f"Status ({status}) not in ([Stopped, Failed]). Unable to transition to (Updating) for Notebook Instance "
            f"({record.arn})"
        )
    changeable = {*_DEFAULTS, "InstanceType", "RoleArn", "AcceleratorTypes", "DefaultCodeRepository"}
    record.fields.update({member: value for member, value in request.items() if member in changeable})
    if request.get("DisassociateAcceleratorTypes"):
        record.fields.pop("AcceleratorTypes", None)
    record.fields["LastModifiedTime"] = now()
    return {}


@operation("sagemaker", "StartNotebookInstance")
def start_notebook_instance(backend: Any, request: Request) -> None:
    _set_status(backend, request, "InService")


@operation("sagemaker", "StopNotebookInstance")
def stop_notebook_instance(backend: Any, request: Request) -> None:
    _set_status(backend, request, "Stopped")


def _set_status(backend: Any, request: Request, status: str) -> None:
    fields = find(backend, NOTEBOOK_INSTANCE, request["NotebookInstanceName"]).fields
    fields.update(NotebookInstanceStatus=status, LastModifiedTime=now())


@operation("sagemaker", "DeleteNotebookInstance")
def delete_notebook_instance(backend: Any, request: Request) -> None:
    record = find(backend, NOTEBOOK_INSTANCE, request["NotebookInstanceName"])
    status = record.fields["NotebookInstanceStatus"]
    if status not in ("Stopped", "Failed"):
        raise invalid(
            f"Status ({status}) not in ([Stopped, Failed]). Unable to transition to (Deleting) for Notebook Instance "
            f"({record.arn})"
        )
    remove(backend, NOTEBOOK_INSTANCE, record.name)
