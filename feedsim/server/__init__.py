"""The WebSocket transport: connections and what clients ask, the HTTP pages, tokens and limits."""
