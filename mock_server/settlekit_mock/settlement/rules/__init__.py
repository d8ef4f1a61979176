"""The rules of settlement: pure functions over frozen values and literal tables.

No database, no clock, no network. An amount without a suffix is an ``int`` of units
(10⁻⁸ of a major unit); ``_minor`` says minor units. An instant is an ``int`` of
milliseconds since the Unix epoch, in UTC.
"""
