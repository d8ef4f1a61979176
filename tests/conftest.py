from hypothesis import settings

from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

# How long an example takes says how busy the machine is, and nothing about the rules.
settings.register_profile("settlekit", deadline=None, print_blob=True)
settings.load_profile("settlekit")
