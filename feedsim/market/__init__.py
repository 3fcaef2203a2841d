"""The synthetic market: pure functions of (law, seed, time). Importing the room alone loads no compiler."""
