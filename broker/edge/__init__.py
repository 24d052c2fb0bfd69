"""Where the world meets the engine: HTTP, WebSocket, pages."""
