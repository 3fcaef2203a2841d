"""How busy the market is through a Globex session: busiest at the open and the close of regular trading, U between."""

from __future__ import annotations

from itertools import pairwise

SESSION_MINUTES = 23 * 60

# (minute since 18:00 New York time, activity in hundredths of the mean of regular trading); straight lines between.
_KNOTS = (
    (0, 40),
    (30, 15),
    (240, 10),
    (480, 12),  # 02:00
    (540, 30),  # 03:00, Europe opens
    (660, 22),
    (869, 30),
    (870, 60),  # 08:30, figures
    (929, 50),
    (930, 220),  # 09:30
    (945, 165),
    (990, 115),
    (1110, 70),  # 12:30
    (1200, 75),
    (1290, 110),  # 15:30
    (1319, 190),
    (1320, 60),  # 16:00
    (1335, 20),
    (1380, 15),  # 17:00
)


def activity() -> list[float]:
    """Activity in each minute of a session."""
    return [
        (low * (until - minute) + high * (minute - since)) / (100 * (until - since))
        for (since, low), (until, high) in pairwise(_KNOTS)
        for minute in range(since, until)
    ]
