"""Ground truth for agents: the tools of ``auditor mcp``, and the server that speaks the Model Context Protocol."""
