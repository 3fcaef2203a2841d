"""Rows that a market tells: the room for them, and what an order of a user gets at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.market.book import ORDER_FIELDS
from feedsim.market.telling import L1_FIELDS, L2_WIDTH, TRADE_FIELDS

Rows = npt.NDArray[np.int64]


class Sheets:
    """Room for the rows that one step of a market tells; markets that run one after the other share it."""

    def __init__(self, *, trades: int = 8192, l1: int = 32768, l2: int = 4096, orders: int = 0) -> None:
        self.trades = np.empty((trades, len(TRADE_FIELDS)), np.int64)
        self.l1 = np.empty((l1, len(L1_FIELDS)), np.int64)
        self.l2 = np.empty((l2, L2_WIDTH), np.int64)
        self.orders = np.empty((orders, len(ORDER_FIELDS)), np.int64)
        """The log of orders; without room for it none is kept."""


class Entered(NamedTuple):
    """What became of a user's order, at once."""

    refused: str
    """Why nothing was done: closed, halted, too many orders, id in use, unknown order; empty if it was."""
    rows: Rows
    """As USER_ROW_FIELDS."""
    move: float = 0.0
    """How far the latent price was kicked, relative to itself."""
