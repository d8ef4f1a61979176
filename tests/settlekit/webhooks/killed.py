"""Receive one delivery and be killed in its handler: ``killed.py KIND DATABASE MOMENT HEADER``."""

import sys

from tests.settlekit.webhooks.shops import open_shop

if __name__ == "__main__":
    kind, database, moment, header = sys.argv[1:]
    shop = open_shop(kind, database, 0.2)
    shop.killed = moment
    shop.deliver(sys.stdin.buffer.read(), header)
