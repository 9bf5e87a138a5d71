"""upstash-ratelimit: every algorithm."""

import unittest

from upstash_ratelimit import FixedWindow, Ratelimit, SlidingWindow, TokenBucket
from upstash_ratelimit.asyncio import Ratelimit as AsyncRatelimit
from upstash_redis import Redis
from upstash_redis.asyncio import Redis as AsyncRedis

from rest_test import TOKEN, URL, mock


class Algorithms(unittest.TestCase):
    def setUp(self):
        mock("POST", "reset")

    def test_each_lets_as_many_through_as_it_is_told(self):
        for limiter in [
            FixedWindow(max_requests=3, window=3600),
            SlidingWindow(max_requests=3, window=3600),
            TokenBucket(max_tokens=3, refill_rate=3, interval=3600),
        ]:
            with self.subTest(type(limiter).__name__):
                ratelimit = Ratelimit(
                    redis=Redis(url=URL, token=TOKEN),
                    limiter=limiter,
                    prefix=type(limiter).__name__,
                )
                allowed = [ratelimit.limit("someone").allowed for _ in range(5)]
                self.assertEqual(allowed, [True, True, True, False, False])
                other = ratelimit.limit("another")
                self.assertEqual((other.allowed, other.limit, other.remaining), (True, 3, 2))


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_it_lets_as_many_through_as_it_is_told(self):
        mock("POST", "reset")
        async with AsyncRedis(url=URL, token=TOKEN) as redis:
            ratelimit = AsyncRatelimit(redis=redis, limiter=SlidingWindow(max_requests=3, window=3600))
            allowed = [(await ratelimit.limit("someone")).allowed for _ in range(5)]
            self.assertEqual(allowed, [True, True, True, False, False])
            self.assertEqual(await ratelimit.get_remaining("someone"), 0)
            other = await ratelimit.limit("another")
            self.assertEqual((other.allowed, other.remaining), (True, 2))
