"""A shop with one table of bookings, on each store of the inbox."""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from settlekit import webhooks
from settlekit.webhooks.endpoint import AsyncEndpoint, Endpoint
from settlekit.webhooks.inbox import State
from settlekit.webhooks.sqlalchemy import AsyncSqlAlchemyInbox, SqlAlchemyInbox, inbox_table
from tests.settlekit.webhooks.deliveries import SECRET, body_of, signed

METADATA = sa.MetaData()
# Without a key: if an event took effect twice, there would be two rows.
BOOKINGS = sa.Table("bookings", METADATA, sa.Column("event_id", sa.String(50)))
EVENTS = inbox_table(METADATA)


class HandlerFailed(Exception):
    """What a handler of these shops fails with."""


class Shop:
    """What the shops share: deliveries, and a look at the database with plain SQL."""

    def __init__(self, database, lease_seconds):
        self.database = database
        self.lease_seconds = lease_seconds
        self.fail_after_effect = False
        self.reason_for_review = None
        self.killed = None
        self.engine = sa.create_engine(database, poolclass=NullPool)
        self.handlers = webhooks.Handlers()

    def create_tables(self):
        METADATA.create_all(self.engine)

    def close(self):
        self.engine.dispose()

    def receive(self, event_id="evt_1"):
        body = body_of(event_id=event_id)
        return self.deliver(body, signed(body))

    def receive_at_once(self, count, *, same=True):
        start = threading.Barrier(count)

        def deliver(number):
            start.wait(10)
            return self.receive("evt_1" if same else f"evt_{number}")

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(deliver, range(count)))

    def bookings(self):
        return [row[0] for row in self.rows("bookings")]

    def rows(self, table):
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(f"select * from {table}")))

    def rename_table(self, old, new):
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"alter table {old} rename to {new}"))

    def before_effect(self):
        if self.killed == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def after_effect(self):
        if self.killed == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fail_after_effect:
            raise HandlerFailed
        if self.reason_for_review is not None:
            raise webhooks.NeedsReview(self.reason_for_review)

    def deliver(self, body, header):
        return self.endpoint.receive(body, header).status

    def claim(self, record, claim, now):
        return self.inbox.claim(record, claim, now)

    def take(self, event_id, claim):
        return self.inbox.take(event_id, claim, State.DONE, self.write)

    def recover(self):
        return self.endpoint.recover()

    def inbox_says(self, method, *arguments):
        return getattr(self.inbox, method)(*arguments)


class SqlAlchemyShop(Shop):
    def __init__(self, database, lease_seconds):
        super().__init__(database, lease_seconds)
        self.handlers.standard_settled(self.book)
        self.inbox = SqlAlchemyInbox(self.engine, table=EVENTS, lease_seconds=lease_seconds)
        self.endpoint = Endpoint(self.handlers, secrets=SECRET, inbox=self.inbox)

    def book(self, told, session):
        self.before_effect()
        self.write(session, told.event.id)
        self.after_effect()

    def write(self, session, event_id="evt_1"):
        session.execute(sa.insert(BOOKINGS).values(event_id=event_id))


class AsyncShop(Shop):
    def __init__(self, database, lease_seconds):
        super().__init__(database, lease_seconds)
        self.handlers.standard_settled(self.book)

    async def book(self, told, session):
        self.before_effect()
        await self.write(session, told.event.id)
        self.after_effect()

    async def write(self, session, event_id="evt_1"):
        await session.execute(sa.insert(BOOKINGS).values(event_id=event_id))

    def within(self, act):
        """Act on an endpoint and inbox of a loop's own: engines don't move between loops."""

        async def in_loop():
            url = self.database.replace("sqlite:", "sqlite+aiosqlite:")
            engine = create_async_engine(url, poolclass=NullPool)
            inbox = AsyncSqlAlchemyInbox(engine, table=EVENTS, lease_seconds=self.lease_seconds)
            endpoint = AsyncEndpoint(self.handlers, secrets=SECRET, inbox=inbox)
            try:
                return await act(endpoint)
            finally:
                await engine.dispose()

        return asyncio.run(in_loop())

    def receive_at_once(self, count, *, same=True):
        async def all_at_once(endpoint):
            bodies = [body_of(event_id="evt_1" if same else f"evt_{n}") for n in range(count)]
            return await asyncio.gather(*(endpoint.receive(b, signed(b)) for b in bodies))

        return [answer.status for answer in self.within(all_at_once)]

    def deliver(self, body, header):
        return self.within(lambda endpoint: endpoint.receive(body, header)).status

    def claim(self, record, claim, now):
        return self.within(lambda endpoint: endpoint.inbox.claim(record, claim, now))

    def take(self, event_id, claim):
        return self.within(
            lambda endpoint: endpoint.inbox.take(event_id, claim, State.DONE, self.write)
        )

    def recover(self):
        return self.within(lambda endpoint: endpoint.recover())

    def inbox_says(self, method, *arguments):
        return self.within(lambda endpoint: getattr(endpoint.inbox, method)(*arguments))


class DjangoShop(Shop):
    def __init__(self, database, lease_seconds):
        from tests.settlekit.webhooks import django_site

        super().__init__(database, lease_seconds)
        self.site = django_site.at(sa.make_url(database))
        from settlekit.webhooks.django.inbox import DjangoInbox

        self.handlers.standard_settled(self.book)
        self.inbox = DjangoInbox(lease_seconds=lease_seconds)
        self.endpoint = Endpoint(self.handlers, secrets=SECRET, inbox=self.inbox)

    def create_tables(self):
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        BOOKINGS.create(self.engine)

    def book(self, told, using):
        self.before_effect()
        self.write(using, told.event.id)
        self.after_effect()

    def write(self, using, event_id="evt_1"):
        from django.db import connections

        with connections[using].cursor() as cursor:
            cursor.execute("insert into bookings (event_id) values (%s)", [event_id])

    def deliver(self, body, header):
        from django.db import connections

        try:
            return super().deliver(body, header)
        finally:
            # Each thread has its own connection; Django closes it after a request.
            connections["default"].close()

    def close(self):
        self.site.close()
        super().close()


KINDS = {"sqlalchemy": SqlAlchemyShop, "async": AsyncShop, "django": DjangoShop}


def open_shop(kind, database, lease_seconds=60):
    return KINDS[kind](database, lease_seconds)
