// @upstash/queue: every message once, taken back when its consumer does not confirm it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Queue } from "@upstash/queue";
import { advance, connect, mock } from "./mock.js";

beforeEach(() => mock("POST", "reset"));

const redis = connect();

test("messages come in order, each once", async () => {
  const queue = new Queue({ redis, queueName: "orders" });
  await queue.sendMessage({ n: 1 });
  await queue.sendMessage({ n: 2 });
  const first = await queue.receiveMessage();
  assert.deepEqual(first.body, { n: 1 });
  const second = await queue.receiveMessage();
  assert.deepEqual(second.body, { n: 2 });
  assert.equal(await queue.receiveMessage(), null);
});

test("a message that nobody confirmed is taken by the next", async () => {
  const queue = new Queue({ redis, queueName: "jobs", autoVerify: false, concurrencyLimit: 2, visibilityTimeout: 30_000 });
  await queue.sendMessage({ job: "mail" });
  const taken = await queue.receiveMessage();
  assert.deepEqual(taken.body, { job: "mail" });
  const other = new Queue({ redis, queueName: "jobs", autoVerify: false, concurrencyLimit: 2, visibilityTimeout: 30_000 });
  assert.equal(await other.receiveMessage(), null);
  await advance(31_000);
  const again = await other.receiveMessage();
  assert.deepEqual(again, taken);
  assert.equal(await other.verifyMessage(again.streamId), "VERIFIED");
  await advance(31_000);
  assert.equal(await queue.receiveMessage(), null);
});
