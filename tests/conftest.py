"""For all tests: properties are not timed, since a busy machine is no bug."""

from hypothesis import settings

settings.register_profile("feedsim", deadline=None, print_blob=True, max_examples=50)
settings.load_profile("feedsim")
