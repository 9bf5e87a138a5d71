// @upstash/ratelimit: every algorithm, by EVALSHA and then EVAL, as it does on a new database.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MultiRegionRatelimit, Ratelimit } from "@upstash/ratelimit";
import { connect, mock, region, until } from "./mock.js";

beforeEach(() => mock("POST", "reset"));

const redis = connect();

async function allowed(ratelimit, tries) {
  const answers = [];
  for (let i = 0; i < tries; i++) answers.push(await ratelimit.limit("someone"));
  // A cached window counts in the background, which the next test must not meet.
  await Promise.all(answers.map((answer) => answer.pending));
  return answers.map((answer) => answer.success);
}

for (const [name, limiter] of [
  ["fixed window", Ratelimit.fixedWindow(3, "1 h")],
  ["sliding window", Ratelimit.slidingWindow(3, "1 h")],
  ["token bucket", Ratelimit.tokenBucket(3, "1 h", 3)],
]) {
  test(`${name} lets as many through as it is told`, async () => {
    const ratelimit = new Ratelimit({ redis, limiter, prefix: name, ephemeralCache: false });
    assert.deepEqual(await allowed(ratelimit, 5), [true, true, true, false, false]);
    const { remaining } = await ratelimit.getRemaining("someone");
    assert.equal(remaining, 0);
    const other = await ratelimit.limit("another");
    assert.equal(other.success, true);
    assert.equal(other.limit, 3);
    assert.equal(other.remaining, 2);
    await ratelimit.resetUsedTokens("someone");
    assert.deepEqual(await allowed(ratelimit, 1), [true]);
  });

  test(`${name} counts calls that come at once`, async () => {
    const ratelimit = new Ratelimit({ redis, limiter, prefix: `${name} at once`, ephemeralCache: false });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ratelimit.limit("someone")));
    assert.equal(answers.filter((answer) => answer.success).length, 3);
  });
}

for (const [name, limiter] of [
  ["fixed window", MultiRegionRatelimit.fixedWindow(3, "1 h")],
  ["sliding window", MultiRegionRatelimit.slidingWindow(3, "1 h")],
]) {
  test(`${name} over several regions lets as many through as it is told`, async () => {
    const other = await region();
    const ratelimit = new MultiRegionRatelimit({ redis: [redis, other], limiter, prefix: "regions", ephemeralCache: false });
    const answers = [];
    for (let i = 0; i < 5; i++) {
      const answer = await ratelimit.limit("someone");
      // What was counted in one region is told to the other in the background.
      await answer.pending;
      answers.push(answer.success);
    }
    assert.deepEqual(answers, [true, true, true, false, false]);
    assert.equal((await ratelimit.getRemaining("someone")).remaining, 0);
    for (const one of [redis, other]) assert.equal((await one.keys("regions:*")).length, 1);
    await ratelimit.resetUsedTokens("someone");
    // It does not wait for its scripts.
    for (const one of [redis, other]) await until(async () => (await one.keys("regions:*")).length === 0);
  });
}

test("analytics count who was let through", async () => {
  const limiter = Ratelimit.fixedWindow(1, "1 h");
  const ratelimit = new Ratelimit({ redis, limiter, prefix: "counted", analytics: true, ephemeralCache: false });
  assert.deepEqual(await allowed(ratelimit, 2), [true, false]);
  const [table] = await redis.keys("counted:events:*");
  const counts = await redis.zrange(table, 0, -1, { withScores: true });
  assert.equal(counts.length, 4);
  assert.deepEqual([counts[1], counts[3]], [1, 1]);
});

test("a cached window lets as many through as it is told", async () => {
  const ratelimit = new Ratelimit({
    redis,
    limiter: Ratelimit.cachedFixedWindow(3, "1 h"),
    ephemeralCache: new Map(),
  });
  assert.deepEqual(await allowed(ratelimit, 4), [true, true, true, false]);
});

test("a window that is over is forgotten", async () => {
  const ratelimit = new Ratelimit({ redis, limiter: Ratelimit.fixedWindow(1, "1 h"), ephemeralCache: false });
  assert.deepEqual(await allowed(ratelimit, 2), [true, false]);
  await mock("POST", "time", { advance_ms: 2 * 3_600_000 });
  assert.deepEqual(await redis.keys("*"), []);
  assert.deepEqual(await allowed(ratelimit, 1), [true]);
});

test("who is on the deny list is denied", async () => {
  const ratelimit = new Ratelimit({
    redis,
    limiter: Ratelimit.slidingWindow(3, "1 h"),
    ephemeralCache: false,
    enableProtection: true,
    prefix: "protected",
  });
  await redis.sadd("protected:denyList:all", "mallory");
  // Else the client downloads a public list of addresses.
  await redis.set("protected:ipDenyListStatus", "valid", { ex: 3600 });
  const denied = await ratelimit.limit("mallory");
  await denied.pending;
  assert.equal(denied.success, false);
  assert.equal(denied.reason, "denyList");
  assert.equal((await ratelimit.limit("alice")).success, true);
});

test("the limit can be changed while it runs", async () => {
  const ratelimit = new Ratelimit({
    redis,
    limiter: Ratelimit.slidingWindow(1, "1 h"),
    ephemeralCache: false,
    dynamicLimits: true,
    prefix: "dynamic",
  });
  await ratelimit.setDynamicLimit({ limit: 2 });
  assert.deepEqual(await allowed(ratelimit, 3), [true, true, false]);
});

test("the flag of its scripts locks the keys that they name, and no other", async () => {
  const locking = (body) => redis.eval(`#!lua flags=allow-key-locking\n${body}`, ["named"], ["v"]);
  assert.equal(await locking("return redis.call('SET', KEYS[1], ARGV[1])"), "OK");
  await assert.rejects(
    locking("return redis.call('SET', 'made-up', ARGV[1])"),
    /Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: made-up/,
  );
  assert.equal(await redis.exists("made-up"), 0);
});
