"""upstash-redis, synchronous and asynchronous."""

import os
import unittest

import httpx
from upstash_redis import Redis
from upstash_redis.asyncio import Redis as AsyncRedis

URL = os.environ["UPSTASH_REDIS_REST_URL"]
TOKEN = os.environ["UPSTASH_REDIS_REST_TOKEN"]


def mock(method, path, body=None):
    """Asks something of the mock itself."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    response = httpx.request(method, f"{URL}/_mock/{path}", headers=headers, json=body)
    response.raise_for_status()
    return response.json()


class Synchronous(unittest.TestCase):
    def setUp(self):
        mock("POST", "reset")
        self.redis = Redis(url=URL, token=TOKEN)

    def tearDown(self):
        self.redis.close()

    def test_strings(self):
        redis = self.redis
        self.assertTrue(redis.set("s", "grün\x00"))
        self.assertEqual(redis.get("s"), "grün\x00")
        self.assertIsNone(redis.get("missing"))
        self.assertFalse(redis.set("s", "x", nx=True))
        self.assertEqual(redis.incrby("n", 41), 41)
        self.assertEqual(redis.incrbyfloat("n", 0.5), 41.5)
        self.assertTrue(redis.mset({"a": 1, "b": True}))
        self.assertEqual(redis.mget("a", "b", "missing"), ["1", "true", None])
        redis.set("OK", "OK")
        self.assertEqual(redis.get("OK"), "OK")

    def test_keys_expire_when_the_clock_says_so(self):
        self.redis.set("e", "1", ex=60)
        self.assertGreater(self.redis.ttl("e"), 58)
        mock("POST", "time", {"advance_ms": 61_000})
        self.assertEqual(self.redis.exists("e"), 0)

    def test_hashes_and_lists(self):
        redis = self.redis
        self.assertEqual(redis.hset("h", values={"f": "1", "g": "2"}), 2)
        self.assertEqual(redis.hgetall("h"), {"f": "1", "g": "2"})
        self.assertEqual(redis.hmget("h", "f", "none"), ["1", None])
        self.assertEqual(redis.hincrby("h", "f", 4), 5)
        self.assertEqual(redis.rpush("l", "a", "b", "c"), 3)
        self.assertEqual(redis.lrange("l", 0, -1), ["a", "b", "c"])
        self.assertEqual(redis.lpop("l", 2), ["a", "b"])

    def test_sets_and_sorted_sets(self):
        redis = self.redis
        self.assertEqual(redis.sadd("s", "a", "b"), 2)
        self.assertEqual(sorted(redis.smembers("s")), ["a", "b"])
        self.assertTrue(redis.sismember("s", "a"))
        self.assertEqual(redis.zadd("z", {"a": 1, "b": 2.5}), 2)
        self.assertEqual(redis.zrange("z", 0, -1, withscores=True), [("a", 1.0), ("b", 2.5)])
        self.assertEqual(redis.zscore("z", "b"), 2.5)
        self.assertEqual(redis.zincrby("z", 2, "a"), 3.0)
        self.assertEqual(redis.zrank("z", "a"), 1)

    def test_streams(self):
        redis = self.redis
        self.assertEqual(redis.xadd("x", "1-1", {"f": "v"}), "1-1")
        self.assertEqual(redis.xlen("x"), 1)
        self.assertEqual(redis.xrange("x", "-", "+"), [["1-1", ["f", "v"]]])
        self.assertEqual(redis.xgroup_create("x", "g", "0"), "OK")
        read = redis.xreadgroup("g", "c", {"x": ">"})
        self.assertEqual(read, [["x", [["1-1", ["f", "v"]]]]])
        self.assertEqual(redis.xack("x", "g", "1-1"), 1)

    def test_json(self):
        redis = self.redis
        self.assertTrue(redis.json.set("j", "$", {"name": "a", "list": [1, 2]}))
        self.assertEqual(redis.json.get("j", "$.name"), ["a"])
        self.assertEqual(redis.json.arrappend("j", "$.list", 3), [3])
        self.assertEqual(redis.json.numincrby("j", "$.list[0]", 10), [11])
        self.assertEqual(redis.json.get("j"), [{"name": "a", "list": [11, 2, 3]}])

    def test_scripts(self):
        redis = self.redis
        script = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
        self.assertEqual(redis.eval(script, keys=["n"], args=["7"]), 7)
        digest = redis.script_load(script)
        self.assertEqual(redis.evalsha(digest, keys=["n"], args=["7"]), 14)
        self.assertEqual(redis.script_exists(digest), [True])

    def test_pipelines_and_transactions(self):
        pipeline = self.redis.pipeline()
        pipeline.set("p", 1).incr("p").get("p")
        self.assertEqual(pipeline.exec(), [True, 2, "2"])
        transaction = self.redis.multi()
        transaction.incr("p").hset("h", "f", "v").hgetall("h")
        self.assertEqual(transaction.exec(), [3, 1, {"f": "v"}])

    def test_messages(self):
        self.assertEqual(self.redis.publish("nobody", "hears"), 0)

    def test_errors(self):
        from upstash_redis.errors import UpstashError

        self.redis.set("s", "text")
        with self.assertRaisesRegex(UpstashError, "^WRONGTYPE"):
            self.redis.lpush("s", "x")
        with self.assertRaisesRegex(UpstashError, "WRONGPASS invalid or missing auth token"):
            Redis(url=URL, token="wrong").get("s")


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        mock("POST", "reset")
        self.redis = AsyncRedis(url=URL, token=TOKEN)

    async def asyncTearDown(self):
        await self.redis.close()

    async def test_commands(self):
        redis = self.redis
        self.assertTrue(await redis.set("s", "v"))
        self.assertEqual(await redis.get("s"), "v")
        self.assertEqual(await redis.hset("h", values={"f": "1"}), 1)
        self.assertEqual(await redis.hgetall("h"), {"f": "1"})
        self.assertEqual(await redis.zadd("z", {"a": 1}), 1)
        self.assertEqual(await redis.zscore("z", "a"), 1.0)
        self.assertEqual(await redis.eval("return KEYS[1]", keys=["k"]), "k")
        self.assertTrue(await redis.json.set("j", "$", [1]))
        self.assertEqual(await redis.xadd("x", "1-1", {"f": "v"}), "1-1")

    async def test_pipelines_and_transactions(self):
        pipeline = self.redis.pipeline()
        pipeline.set("p", 1)
        pipeline.incr("p")
        self.assertEqual(await pipeline.exec(), [True, 2])
        transaction = self.redis.multi()
        transaction.incr("p")
        transaction.get("p")
        self.assertEqual(await transaction.exec(), [3, "3"])
