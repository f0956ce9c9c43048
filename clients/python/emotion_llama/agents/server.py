"""Makes a server of the MCP SDK that lists the tools and runs them."""

from typing import Any

from mcp import MCPError, types
from mcp.server.lowlevel import Server

from emotion_llama import __version__
from emotion_llama.agents.tools import TOOLS, Backend, Tool

_INSTRUCTIONS = (
    "These tools ask Emotion-LLaMA which emotion a face, a voice and words show in a short clip. "
    "It is a research model that guesses and can be wrong about anybody: show people its notice "
    "and its warnings with each answer."
)
_MAX_NAME = 64
"""The maximum number of characters of an unknown tool's name that an error repeats."""


def _described(name: str, tool: Tool) -> types.Tool:
    return types.Tool(
        name=name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.result.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


_DESCRIBED = {name: _described(name, tool) for name, tool in TOOLS.items()}


def make_server(backend: Backend) -> Server[Any]:
    """Return a server whose tools the backend answers; making one costs nearly nothing."""

    async def list_tools(context: Any, asked: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=list(_DESCRIBED.values()))

    async def call_tool(context: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        return await _call(backend, asked)

    server: Server[Any] = Server(
        "emotion-llama",
        version=__version__,
        title="Emotion-LLaMA",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=_input_schema,
    )
    # The SDK's spans have names and parents of the client's choice, and the gate has its own.
    server.middleware.clear()
    return server


def _input_schema(name: str) -> dict[str, Any] | None:
    return _DESCRIBED[name].input_schema if name in _DESCRIBED else None


async def _call(backend: Backend, asked: types.CallToolRequestParams) -> types.CallToolResult:
    """Run a tool; an error becomes a result, so that the agent can read it and do better.

    Raises:
        MCPError: there is no such tool.
    """
    if (tool := TOOLS.get(asked.name)) is None:
        known = ", ".join(TOOLS)
        words = f"There is no tool {asked.name[:_MAX_NAME]!r}; the tools are {known}."
        raise MCPError(types.INVALID_PARAMS, words)
    try:
        arguments = tool.arguments.model_validate(asked.arguments or {})
        result, text = await tool.run(backend, arguments)
    except Exception as error:
        return types.CallToolResult(content=[_text(backend.sentence(error))], is_error=True)
    return types.CallToolResult(
        content=[_text(text)], structured_content=result.model_dump(mode="json")
    )


def _text(words: str) -> types.TextContent:
    return types.TextContent(type="text", text=words)
