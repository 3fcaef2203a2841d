"""Sierra Chart's Data and Trading Communications protocol: JSON over TCP, compact JSON over WebSocket."""
