"""The shop's account with the platform and its client, made once a process."""

from functools import cache

from examples.shop_parts.account import Account, account_of_environment
from settlekit import Client


@cache
def account() -> Account:
    """Read the account from the environment."""
    return account_of_environment("http://127.0.0.1:3000")


@cache
def client() -> Client:
    """Open the client, which is safe to share between threads."""
    return Client(token=account().token, base_url=account().api_base)
