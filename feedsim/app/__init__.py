"""The composition root: the only room that knows all the others, and the life of a server from start to drain."""
