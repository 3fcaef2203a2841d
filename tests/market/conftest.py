"""The source is imported first, so that what the tests of the market compile is kept for the next run."""

import feedsim.sources.synthetic  # noqa: F401 (for its effect)
