// @upstash/lock: one holder, release by the holder alone, extension, expiry.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Lock } from "@upstash/lock";
import { advance, connect, mock } from "./mock.js";

beforeEach(() => mock("POST", "reset"));

const redis = connect();
const lock = (options = {}) => new Lock({ id: "job", redis, lease: 10_000, retry: { attempts: 1, delay: 1 }, ...options });

test("fifty who try at once find one holder", async () => {
  const locks = Array.from({ length: 50 }, () => lock());
  const held = await Promise.all(locks.map((one) => one.acquire()));
  assert.equal(held.filter(Boolean).length, 1);
  const holder = locks[held.indexOf(true)];
  const other = locks[held.indexOf(false)];
  assert.equal(await other.release(), false);
  assert.equal(await holder.getStatus(), "ACQUIRED");
  assert.equal(await holder.release(), true);
  assert.equal(await holder.getStatus(), "FREE");
  assert.equal(await other.acquire(), true);
});

test("a lock that is not released ends with its lease", async () => {
  const first = lock();
  assert.equal(await first.acquire(), true);
  assert.equal(await lock().acquire(), false);
  await advance(10_001);
  const second = lock();
  assert.equal(await second.acquire(), true);
  assert.equal(await first.release(), false);
  assert.equal(await second.getStatus(), "ACQUIRED");
});

test("a lease can be extended by its holder", async () => {
  const holder = lock();
  await holder.acquire();
  assert.equal(await holder.extend(20_000), true);
  await advance(15_000);
  assert.equal(await holder.getStatus(), "ACQUIRED");
  assert.equal(await lock().extend(1_000), false);
});
