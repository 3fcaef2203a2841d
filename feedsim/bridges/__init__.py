"""Transports that speak somebody else's protocol. Each follows a session beside its WebSocket clients."""
