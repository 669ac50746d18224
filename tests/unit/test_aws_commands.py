"""The checker of commands finds what AWS would refuse."""

import pytest

from tests.aws_commands import WrongCommand, check

RIGHT = [
    "aws sagemaker describe-endpoint --endpoint-name churn --region eu-west-1",
    "aws sagemaker describe-endpoint --endpoint-name churn --query 'ProductionVariants[].[A, B]' --region eu-west-1",
    "aws sagemaker describe-endpoint --endpoint-name churn --region eu-west-1 > endpoint.json",
    "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name E --desired-weights-and-capacities "
    "VariantName=V,DesiredInstanceCount=2 --region eu-west-1",
    "aws sagemaker wait notebook-instance-stopped --notebook-instance-name N --region eu-west-1",
    "aws sagemaker update-notebook-instance --notebook-instance-name N --disassociate-accelerator-types --region r",
    "aws sagemaker create-model --model-name M --vpc-config SecurityGroupIds=sg-1,Subnets=a,b --region eu-west-1",
    "aws application-autoscaling put-scaling-policy --policy-name p --service-namespace sagemaker --resource-id "
    "endpoint/E/variant/V --scalable-dimension sagemaker:variant:DesiredInstanceCount --policy-type "
    "TargetTrackingScaling --target-tracking-scaling-policy-configuration "
    "'TargetValue=70,PredefinedMetricSpecification={PredefinedMetricType=SageMakerVariantInvocationsPerInstance}' "
    "--region eu-west-1",
]

WRONG = {
    "no option": "aws sagemaker describe-endpoint --endpoint churn --region eu-west-1",
    "no operation": "aws sagemaker show-endpoint --endpoint-name churn --region eu-west-1",
    "no service": "aws sagemakr describe-endpoint --endpoint-name churn --region eu-west-1",
    "lacks --endpoint-name": "aws sagemaker describe-endpoint --region eu-west-1",
    "names its region": "aws sagemaker describe-endpoint --endpoint-name churn",
    "lacks its value": "aws sagemaker describe-endpoint --endpoint-name --region eu-west-1",
    "does not take": "aws application-autoscaling describe-scaling-activities --service-namespace maker --region r",
    "has no member": "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name E "
    "--desired-weights-and-capacities VariantName=V,Count=2 --region eu-west-1",
    "lacks VariantName": "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name E "
    "--desired-weights-and-capacities DesiredInstanceCount=2 --region eu-west-1",
    "whole number": "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name E "
    "--desired-weights-and-capacities VariantName=V,DesiredInstanceCount=two --region eu-west-1",
    "given twice": "aws sagemaker describe-endpoint --endpoint-name a --endpoint-name b --region eu-west-1",
    "no waiter": "aws sagemaker wait notebook-gone --notebook-instance-name N --region eu-west-1",
    "No closing quotation": "aws sagemaker describe-endpoint --endpoint-name 'churn --region eu-west-1",
    "takes one value": "aws sagemaker describe-endpoint --endpoint-name my churn --region eu-west-1",
    "redirection": "aws sagemaker describe-endpoint --endpoint-name a --region eu-west-1 > a b",
}


@pytest.mark.parametrize("command", RIGHT)
def test_a_right_command_passes(command: str) -> None:
    check(command)


@pytest.mark.parametrize("reason", WRONG)
def test_a_wrong_command_is_told(reason: str) -> None:
    with pytest.raises(WrongCommand, match=reason):
        check(WRONG[reason])
