"""What will be deployed, judged before it is: CloudFormation templates and Terraform plans."""
