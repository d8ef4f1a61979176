"""A server that answers every call with one body: python fixed_server.py BODY_AS_HEX."""

import asyncio
import json
import re
import sys

LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = bytes.fromhex(sys.argv[1])
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    whole = head.encode() + body
    try:
        while True:
            asked = await reader.readuntil(b"\r\n\r\n")
            sent = LENGTH.search(asked)
            if sent:
                await reader.readexactly(int(sent[1]))
            writer.write(whole)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await server.serve_forever()


asyncio.run(_serve())
