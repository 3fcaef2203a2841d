"""A source's rows in one order, and told when they are due: merge, tape, clock, pacing, player."""
