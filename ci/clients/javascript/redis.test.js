// @upstash/redis, with auto-pipelining as it comes and without.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { advance, connect, mock, until } from "./mock.js";

beforeEach(() => mock("POST", "reset"));

for (const enableAutoPipelining of [true, false]) {
  describe(`auto-pipelining ${enableAutoPipelining ? "on" : "off"}`, () => {
    const redis = connect({ enableAutoPipelining });

    test("strings come back as what they were", async () => {
      assert.equal(await redis.set("s", "text"), "OK");
      assert.equal(await redis.get("s"), "text");
      const object = { name: "Zoë", tags: ["a", 1, null, true], nested: { deep: [] } };
      await redis.set("o", object);
      assert.deepEqual(await redis.get("o"), object);
      assert.equal(await redis.set("s", "other", { nx: true }), null);
      assert.equal(await redis.set("s", "new", { get: true }), "text");
      assert.equal(await redis.get("missing"), null);
      assert.deepEqual(await redis.mget("s", "missing", "o"), ["new", null, object]);
      await redis.mset({ a: 1, b: "two" });
      assert.equal(await redis.incrby("a", 41), 42);
      assert.equal(await redis.incrbyfloat("a", 0.5), 42.5);
      assert.equal(await redis.append("b", "!"), 4);
      assert.equal(await redis.getdel("b"), "two!");
      assert.equal(await redis.exists("a", "b", "s"), 2);
      assert.equal(await redis.setrange("r", 3, "x"), 4);
      assert.equal(await redis.strlen("r"), 4);
    });

    test("text and numbers that JavaScript could spoil are kept", async () => {
      for (const text of ["OK", "00123", "1.0", "9007199254740993", "", "ü€😀", "\u0000\u001f\"\\"]) {
        await redis.set("t", text);
        assert.equal(await redis.get("t"), text);
      }
      await redis.set("n", Number.MAX_SAFE_INTEGER);
      assert.equal(await redis.incr("n"), Number.MAX_SAFE_INTEGER + 1);
    });

    test("keys expire when the clock says so", async () => {
      await redis.set("e", 1, { ex: 60 });
      assert.ok((await redis.ttl("e")) > 58);
      await redis.hset("h", { f: 1, g: 2 });
      assert.deepEqual(await redis.hexpire("h", "f", 30), [1]);
      await advance(31_000);
      assert.deepEqual(await redis.hgetall("h"), { g: 2 });
      assert.equal(await redis.get("e"), 1);
      await advance(31_000);
      assert.equal(await redis.get("e"), null);
      assert.equal(await redis.ttl("e"), -2);
    });

    test("hashes", async () => {
      assert.equal(await redis.hset("h", { name: "a", count: 1, list: [1, 2] }), 3);
      assert.deepEqual(await redis.hgetall("h"), { name: "a", count: 1, list: [1, 2] });
      assert.equal(await redis.hgetall("missing"), null);
      assert.deepEqual(await redis.hmget("h", "name", "none"), { name: "a", none: null });
      assert.equal(await redis.hincrby("h", "count", 4), 5);
      assert.equal(await redis.hsetnx("h", "name", "b"), 0);
      assert.equal(await redis.hdel("h", "list", "none"), 1);
      assert.deepEqual((await redis.hkeys("h")).sort(), ["count", "name"]);
      const [cursor, pairs] = await redis.hscan("h", 0);
      assert.equal(cursor, "0");
      assert.equal(pairs.length, 4);
      assert.deepEqual(await redis.hgetdel("h", "name"), { name: "a" });
    });

    test("lists and sets", async () => {
      assert.equal(await redis.rpush("l", "a", "b", "c", "d"), 4);
      assert.deepEqual(await redis.lrange("l", 0, -1), ["a", "b", "c", "d"]);
      assert.equal(await redis.lmove("l", "m", "left", "right"), "a");
      assert.deepEqual(await redis.lmpop(2, ["none", "l"], "RIGHT", 2), ["l", ["d", "c"]]);
      assert.equal(await redis.lpos("l", "b"), 0);
      assert.equal(await redis.sadd("x", "1", "2", "3"), 3);
      await redis.sadd("y", "2", "3", "4");
      assert.deepEqual((await redis.sinter("x", "y")).sort(), [2, 3]);
      assert.deepEqual(await redis.smismember("x", ["1", "9"]), [1, 0]);
      assert.equal(await redis.sdiffstore("z", "x", "y"), 1);
    });

    test("sorted sets", async () => {
      assert.equal(
        await redis.zadd("z", { score: 1, member: "a" }, { score: 2.5, member: "b" }, { score: 3, member: "c" }),
        3,
      );
      assert.deepEqual(await redis.zrange("z", 0, -1, { withScores: true }), ["a", 1, "b", 2.5, "c", 3]);
      assert.deepEqual(await redis.zrange("z", 3, 2, { byScore: true, rev: true }), ["c", "b"]);
      assert.equal(await redis.zincrby("z", 10, "a"), 11);
      assert.equal(await redis.zscore("z", "a"), 11);
      assert.equal(await redis.zrank("z", "a"), 2);
      assert.deepEqual(await redis.zmscore("z", ["a", "none"]), [11, null]);
      assert.deepEqual(await redis.zpopmin("z", 1), ["b", 2.5]);
      await redis.zadd("w", { score: 5, member: "c" });
      assert.equal(await redis.zunionstore("u", 2, ["z", "w"]), 2);
      assert.equal(await redis.zscore("u", "c"), 8);
      assert.equal(await redis.zremrangebyscore("u", 8, 8), 1);
    });

    test("streams", async () => {
      const first = await redis.xadd("s", "1-1", { kind: "a", n: 1 });
      assert.equal(first, "1-1");
      await redis.xadd("s", "2-1", { kind: "b", n: 2 }, { trim: { type: "MAXLEN", comparison: "=", threshold: 10 } });
      assert.deepEqual(await redis.xrange("s", "-", "+"), { "1-1": { kind: "a", n: 1 }, "2-1": { kind: "b", n: 2 } });
      assert.equal(await redis.xlen("s"), 2);
      assert.equal(await redis.xgroup("s", { type: "CREATE", group: "g", id: "0" }), "OK");
      const read = await redis.xreadgroup("g", "c1", "s", ">", { count: 1 });
      assert.deepEqual(read, [["s", [["1-1", ["kind", "a", "n", 1]]]]]);
      const [[id, consumer, idle, deliveries]] = await redis.xpending("s", "g", "-", "+", 10);
      assert.deepEqual([id, consumer, deliveries], ["1-1", "c1", 1]);
      assert.ok(idle >= 0);
      assert.equal(await redis.xack("s", "g", "1-1"), 1);
      await redis.xreadgroup("g", "c1", "s", ">");
      const [next, claimed] = await redis.xautoclaim("s", "g", "c2", 0, "0-0");
      assert.equal(next, "0-0");
      assert.deepEqual(claimed, [["2-1", ["kind", "b", "n", 2]]]);
      assert.equal(await redis.xdel("s", "1-1"), 1);
      assert.equal(await redis.xtrim("s", { strategy: "MAXLEN", threshold: 0, exactness: "=" }), 1);
    });

    test("JSON documents", async () => {
      const document = { name: "a", list: [1, 2, 3], nested: { on: true } };
      assert.equal(await redis.json.set("j", "$", document), "OK");
      assert.deepEqual(await redis.json.get("j", "$"), [document]);
      assert.deepEqual(await redis.json.get("j", "$.nested.on"), [true]);
      assert.deepEqual(await redis.json.arrappend("j", "$.list", 4), [4]);
      assert.deepEqual(await redis.json.numincrby("j", "$.list[0]", 10), [11]);
      assert.deepEqual(await redis.json.toggle("j", "$.nested.on"), [0]);
      assert.deepEqual(await redis.json.type("j", "$.name"), ["string"]);
      assert.deepEqual(await redis.json.mget(["j", "none"], "$.name"), [["a"], null]);
      assert.equal(await redis.json.del("j", "$.nested"), 1);
      assert.deepEqual(await redis.json.get("j"), { name: "a", list: [11, 2, 3, 4] });
    });

    test("scripts, by text and by digest", async () => {
      const script = redis.createScript("return {KEYS[1], ARGV[1], redis.call('INCRBY', KEYS[1], ARGV[1])}");
      assert.deepEqual(await script.exec(["n"], ["7"]), ["n", 7, 7]);
      assert.deepEqual(await script.exec(["n"], ["7"]), ["n", 7, 14]);
      assert.equal(await redis.eval("return redis.call('GET', KEYS[1])", ["n"], []), 14);
      const digest = await redis.scriptLoad("return 1");
      assert.deepEqual(await redis.scriptExists(digest, "0".repeat(40)), [1, 0]);
      assert.equal(await redis.evalsha(digest, [], []), 1);
      await assert.rejects(redis.evalsha("0".repeat(40), [], []), /NOSCRIPT/);
    });

    test("pipelines keep their order, transactions are whole", async () => {
      const pipeline = redis.pipeline();
      pipeline.set("p", 1).incr("p").get("p").hset("p", { f: 1 });
      await assert.rejects(pipeline.exec(), /Command 4 \[ hset \] failed: WRONGTYPE/);
      const kept = await redis.pipeline().get("p").lpush("p", 1).exec({ keepErrors: true });
      assert.equal(kept[0].result, 2);
      assert.match(kept[1].error, /^WRONGTYPE/);
      const results = await redis.multi().incr("p").incr("p").get("p").exec();
      assert.deepEqual(results, [3, 4, 4]);
      await assert.rejects(redis.multi().incr("p").eval("", [], []).set("p").exec(), /ERR/);
      assert.equal(await redis.get("p"), 4);
    });

    test("many calls of one tick are all answered", async () => {
      const count = 500;
      await Promise.all(Array.from({ length: count }, (_, i) => redis.set(`k${i}`, i)));
      const values = await Promise.all(Array.from({ length: count }, (_, i) => redis.get(`k${i}`)));
      assert.deepEqual(values, Array.from({ length: count }, (_, i) => i));
      assert.equal(await redis.dbsize(), count);
      const seen = new Set();
      let cursor = "0";
      do {
        const [next, keys] = await redis.scan(cursor, { match: "k*", count: 50 });
        keys.forEach((key) => seen.add(key));
        cursor = next;
      } while (cursor !== "0");
      assert.equal(seen.size, count);
    });

    test("messages reach subscribers, of channels and of patterns", async () => {
      const got = [];
      const channel = redis.subscribe("news");
      channel.on("message", ({ message }) => got.push(message));
      const pattern = redis.psubscribe("n*");
      pattern.on("pmessage", ({ pattern, channel, message }) => got.push([pattern, channel, message]));
      let ready = 0;
      channel.on("subscribe", () => ready++);
      pattern.on("psubscribe", () => ready++);
      await until(() => ready === 2);
      assert.equal(await redis.publish("news", { text: "a, b" }), 2);
      await until(() => got.length === 2);
      assert.ok(got.some((one) => one.text === "a, b"));
      assert.deepEqual(got.find(Array.isArray), ["n*", "news", { text: "a, b" }]);
      await channel.unsubscribe();
      await pattern.unsubscribe();
      let listeners = -1;
      const closed = setInterval(async () => (listeners = await redis.publish("news", "x")), 20);
      await until(() => listeners === 0).finally(() => clearInterval(closed));
    });

    test("bits, places, counts and what else an application asks", async () => {
      assert.equal(await redis.setbit("b", 7, 1), 0);
      assert.equal(await redis.bitcount("b", 0, -1), 1);
      // Its chained form is not there for clients that collect calls into pipelines.
      const direct = connect({ enableAutoPipelining: false });
      assert.deepEqual(await direct.bitfield("f").set("u8", 0, 255).incrby("u8", 0, 1).exec(), [0, 0]);
      assert.equal(await redis.geoadd("g", { longitude: 13.361389, latitude: 38.115556, member: "Palermo" }, { longitude: 15.087269, latitude: 37.502669, member: "Catania" }), 2);
      assert.ok(Math.abs((await redis.geodist("g", "Palermo", "Catania", "KM")) - 166.2742) < 0.001);
      assert.equal(await redis.pfadd("hll", "a", "b", "a"), 1);
      assert.equal(await redis.pfcount("hll"), 2);
      assert.equal(await redis.type("g"), "zset");
      assert.equal(await redis.rename("g", "g2"), "OK");
      assert.equal(await redis.copy("b", "b2"), "COPIED");
      assert.equal(await redis.ping(), "PONG");
      assert.equal(await redis.echo("OK"), "OK");
      assert.equal((await redis.time()).length, 2);
    });
  });
}

test("errors name the command that was sent", async () => {
  const redis = connect({ enableAutoPipelining: false });
  await redis.set("s", "text");
  await assert.rejects(redis.lpush("s", 1), { name: "UpstashError", message: /^WRONGTYPE .*, command was: / });
  const stranger = connect({ token: "wrong", enableAutoPipelining: false });
  await assert.rejects(stranger.get("s"), /WRONGPASS invalid or missing auth token/);
});

test("a client follows its own writes by the token that it is given", async () => {
  const redis = connect({ enableAutoPipelining: false });
  await redis.set("s", 1);
  const first = redis.client.upstashSyncToken;
  await redis.set("s", 2);
  assert.notEqual(redis.client.upstashSyncToken, first);
});

test("answers need not be in base64", async () => {
  const redis = connect({ responseEncoding: false });
  await redis.set("s", "grün");
  assert.equal(await redis.get("s"), "grün");
});
