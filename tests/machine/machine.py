"""A rule-based machine: whatever is done to a mock, it does what the model foretells.

A room adds what can be done there as a class of rules of its own, and puts it among the
bases of ``Machine``; journal kinds that the model has no method for pass.
"""

from tests.machine.buying import Buying
from tests.machine.operating import Operating


class Machine(Buying, Operating):
    """Everything that can be done, in any order."""
