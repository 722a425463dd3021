"""The server of the MCP contender."""

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("bench", log_level="WARNING")


@server.tool(structured_output=False)  # type: ignore[untyped-decorator]  # the linter has no mcp
async def echo(text: str) -> str:
    """Returns the text."""
    return text


@server.tool(structured_output=False)  # type: ignore[untyped-decorator]  # the linter has no mcp
async def count(count: int, size: int, context: Context) -> str:
    """Notifies progress."""
    message = "m" * size
    for progress in range(1, count + 1):
        await context.report_progress(progress, count, message)
    return ""


if __name__ == "__main__":
    server.run()
