import signal

from hypothesis import settings

from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

# How long an example takes says how busy the machine is, and nothing about the rules.
settings.register_profile("settlekit", deadline=None, print_blob=True)
settings.load_profile("settlekit")

# Begun in the background the suite ignores Ctrl-C, and so would the commands that it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
