"""`python -m feedsim` is the `feedsim` command."""

from feedsim.cli import main

if __name__ == "__main__":
    main()
