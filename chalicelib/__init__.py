"""A resilience and scaling auditor for Amazon SageMaker."""

__version__ = "0.1.0"
