"""The wire, feedsim.v1: messages, encodings, frames, the protocol core and its published schema."""
