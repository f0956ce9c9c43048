"""Gives a clip's emotion to agents, as tools of the Model Context Protocol (MCP).

`server` makes the SDK's server of the tools in `tools`. Over HTTP, the server's route `/mcp` passes
it messages (`http`); over stdin and stdout, `emotion-llama mcp` does (`remote`). These three need
the SDK, the package `mcp`; `tools` and `text` do not.
"""
