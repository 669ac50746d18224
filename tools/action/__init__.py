"""The GitHub Action: an audit or a plan in a workflow, with SARIF, a summary and one comment kept up to date."""
