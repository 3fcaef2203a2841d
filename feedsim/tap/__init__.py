"""The recorder of a session, and what proves and repairs its recordings. The files' format is in feedsim.recording."""
