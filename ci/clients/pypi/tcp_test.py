"""redis-py on asyncio, over the Redis protocol."""

import asyncio
import os
import unittest

from redis.asyncio import Redis
from redis.exceptions import ResponseError, WatchError

from rest_test import mock

REDIS_URL = os.environ["REDIS_URL"]


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    protocol = 3

    async def asyncSetUp(self):
        mock("POST", "reset")
        self.redis = Redis.from_url(REDIS_URL, protocol=self.protocol, decode_responses=True)

    async def asyncTearDown(self):
        await self.redis.aclose()

    async def test_commands(self):
        redis = self.redis
        self.assertTrue(await redis.set("s", "v", ex=60))
        self.assertEqual(await redis.get("s"), "v")
        self.assertEqual(await redis.hset("h", mapping={"f": 1, "g": 2}), 2)
        self.assertEqual(await redis.hgetall("h"), {"f": "1", "g": "2"})
        self.assertEqual(await redis.sadd("m", "a", "b"), 2)
        self.assertEqual(set(await redis.smembers("m")), {"a", "b"})
        self.assertEqual(await redis.zadd("z", {"a": 1, "b": 2}), 2)
        self.assertEqual(await redis.zscore("z", "b"), 2.0)
        self.assertEqual(await redis.xadd("x", {"f": "v"}, id="1-1"), "1-1")
        self.assertEqual(await redis.xlen("x"), 1)
        with self.assertRaisesRegex(ResponseError, "WRONGTYPE|wrong kind of value"):
            await redis.lpush("s", "x")

    async def test_bytes(self):
        async with Redis.from_url(REDIS_URL, protocol=self.protocol) as redis:
            await redis.set(b"\x00\xff", b"\r\n\x00")
            self.assertEqual(await redis.get(b"\x00\xff"), b"\r\n\x00")

    async def test_transactions(self):
        async with self.redis.pipeline(transaction=True) as pipeline:
            self.assertEqual(await pipeline.set("n", 1).incr("n").get("n").execute(), [True, 2, "2"])
            await pipeline.watch("n")
            await self.redis.set("n", 10)
            pipeline.multi()
            pipeline.incr("n")
            with self.assertRaises(WatchError):
                await pipeline.execute()

    async def test_scripts(self):
        take = self.redis.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        self.assertEqual(await take(keys=["n"], args=[7]), 7)
        self.assertEqual(await take(keys=["n"], args=[7]), 14)

    async def test_messages(self):
        async with self.redis.pubsub() as listener:
            await listener.subscribe("news")
            await listener.psubscribe("n*")
            got = []
            for _ in range(2):
                await listener.get_message(timeout=5)
            self.assertEqual(await self.redis.publish("news", "x"), 2)
            for _ in range(2):
                message = await listener.get_message(ignore_subscribe_messages=True, timeout=5)
                got.append((message["type"], message["data"]))
            self.assertEqual(sorted(got), [("message", "x"), ("pmessage", "x")])

    async def test_a_blocked_reader_is_served(self):
        reader = asyncio.create_task(self.redis.blpop(["jobs"], timeout=5))
        await self.redis.rpush("jobs", "a")
        self.assertEqual(list(await reader), ["jobs", "a"])

    async def test_many_clients_at_once(self):
        async def add(amount):
            async with Redis.from_url(REDIS_URL, protocol=self.protocol) as redis:
                for _ in range(amount):
                    await redis.incr("total")

        await asyncio.gather(*(add(20) for _ in range(20)))
        self.assertEqual(await self.redis.get("total"), "400")


class AsynchronousResp2(Asynchronous):
    protocol = 2
