// ioredis, over the Redis protocol.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Redis } from "ioredis";
import { connect, mock, until } from "./mock.js";

let redis;
before(() => (redis = new Redis(process.env.REDIS_URL)));
after(() => redis.disconnect());
beforeEach(() => mock("POST", "reset"));

test("values are bytes, and REST sees the same keys", async () => {
  const bytes = Buffer.from([0, 13, 10, 255]);
  assert.equal(await redis.set("b", bytes), "OK");
  assert.deepEqual(await redis.getBuffer("b"), bytes);
  await redis.hset("h", { f: "1", g: "2" });
  assert.deepEqual(await redis.hgetall("h"), { f: "1", g: "2" });
  assert.deepEqual(await connect().hgetall("h"), { f: 1, g: 2 });
});

test("pipelines and transactions", async () => {
  const pipeline = await redis.pipeline().set("a", 1).incr("a").lpush("a", 1).exec();
  assert.deepEqual(pipeline.slice(0, 2), [[null, "OK"], [null, 2]]);
  assert.match(pipeline[2][0].message, /^WRONGTYPE/);
  assert.deepEqual(await redis.multi().incr("a").get("a").exec(), [[null, 3], [null, "3"]]);
  await redis.watch("a");
  await connect().set("a", 10);
  assert.equal(await redis.multi().incr("a").exec(), null);
});

test("a blocked reader is served", async () => {
  const reader = redis.duplicate();
  const popped = reader.blpop("jobs", 5);
  await until(() => reader.status === "ready");
  await connect().rpush("jobs", "a");
  assert.deepEqual(await popped, ["jobs", "a"]);
  reader.disconnect();
});

test("messages reach subscribers from either side", async () => {
  const listener = redis.duplicate();
  const got = [];
  listener.on("message", (channel, message) => got.push([channel, message]));
  assert.equal(await listener.subscribe("news"), 1);
  await redis.publish("news", "tcp");
  await connect().publish("news", "rest");
  await until(() => got.length === 2);
  assert.deepEqual(got, [["news", "tcp"], ["news", "rest"]]);
  listener.disconnect();
});

test("scripts that a client defines", async () => {
  redis.defineCommand("take", {
    numberOfKeys: 1,
    lua: "local n = tonumber(redis.call('GET', KEYS[1]) or '0') if n <= 0 then return -1 end return redis.call('DECRBY', KEYS[1], ARGV[1])",
  });
  await redis.set("stock", 3);
  assert.equal(await redis.take("stock", 2), 1);
  assert.equal(await redis.take("stock", 1), 0);
  assert.equal(await redis.take("stock", 1), -1);
});

test("streams and sorted sets", async () => {
  await redis.xadd("s", "1-1", "f", "v");
  await redis.xgroup("CREATE", "s", "g", "0");
  assert.deepEqual(await redis.xreadgroup("GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">"), [
    ["s", [["1-1", ["f", "v"]]]],
  ]);
  await redis.zadd("z", 1, "a", 2, "b");
  assert.deepEqual(await redis.zrangebyscore("z", "(1", "+inf", "WITHSCORES"), ["b", "2"]);
});
