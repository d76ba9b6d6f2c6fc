"""An OPC UA server with one variable and its history: `python opcua_server.py PORT VALUE,VALUE,…`.

The variable's values lie a second apart from T0 on; it takes a new one each tenth of a second and keeps the last.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from asyncua import Server, ua

NODE = "ns=2;s=CH4"


async def main(port: str, numbers: str) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    space = await server.register_namespace("urn:gateway")
    variable = await server.nodes.objects.add_variable(ua.NodeId("CH4", space), "CH4", 0.0)
    async with server:
        await server.historize_node_data_change(variable, period=None, count=10_000)
        begin = datetime.now(UTC) - timedelta(seconds=600)
        for number, value in enumerate(numbers.split(",")):
            at = begin + timedelta(seconds=number)
            quality = ua.StatusCodes.Good if value != "bad" else ua.StatusCodes.BadSensorFailure
            told = ua.Variant(float(value) if value != "bad" else 0.0, ua.VariantType.Double)
            await variable.write_value(ua.DataValue(told, ua.StatusCode(quality), at))
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
