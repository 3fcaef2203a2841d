"""The live bot's Sierra Chart files, written as a session is told: the same that `feedsim.sources.sierra` reads."""
