// BullMQ: jobs, delays, retries, children, repeated jobs; its scripts use cmsgpack and cjson, its workers block.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq";
import { mock, until } from "./mock.js";

const connection = { url: process.env.REDIS_URL, maxRetriesPerRequest: null };
const name = "jobs";
const patience = 5_000;

let done, queue, events, worker;

beforeEach(async () => {
  await mock("POST", "reset");
  done = [];
  queue = new Queue(name, { connection });
  events = new QueueEvents(name, { connection });
  await events.waitUntilReady();
  const work = async (job) => {
    done.push(job.name);
    if (job.data.fail) throw new Error("as asked");
    return job.data.n * 2;
  };
  worker = new Worker(name, work, { connection, concurrency: 3 });
});

afterEach(async () => {
  await worker.close();
  await queue.obliterate({ force: true });
  await events.close();
  await queue.close();
});

test("jobs are done once each, with their results", async () => {
  const jobs = await queue.addBulk(Array.from({ length: 50 }, (_, n) => ({ name: `job ${n}`, data: { n } })));
  events.setMaxListeners(0);
  const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, patience)));
  assert.deepEqual(results, jobs.map((_, n) => 2 * n));
  assert.deepEqual([...done].sort(), jobs.map((job) => job.name).sort());
  assert.equal((await queue.getJobCounts("completed")).completed, 50);
});

test("a delayed job is late, a failing one is tried again", async () => {
  const begun = Date.now();
  const late = await queue.add("late", { n: 4 }, { delay: 200, priority: 2 });
  assert.equal(await late.waitUntilFinished(events, patience), 8);
  assert.ok(Date.now() - begun >= 200);
  const failing = await queue.add("failing", { fail: true }, { attempts: 3, backoff: 10 });
  await assert.rejects(failing.waitUntilFinished(events, patience), /as asked/);
  assert.equal(done.filter((one) => one === "failing").length, 3);
  assert.equal((await queue.getFailed())[0].failedReason, "as asked");
});

test("a parent waits for its children", async () => {
  const flow = new FlowProducer({ connection });
  const child = (n) => ({ name: "child", queueName: name, data: { n } });
  const tree = await flow.add({ name: "parent", queueName: name, data: { n: 5 }, children: [child(6), child(7)] });
  assert.equal(await tree.job.waitUntilFinished(events, patience), 10);
  assert.deepEqual(Object.values(await tree.job.getChildrenValues()).sort(), [12, 14]);
  assert.equal(done.at(-1), "parent");
  await flow.close();
});

test("a repeated job comes again until it is taken away", async () => {
  await queue.upsertJobScheduler("clock", { every: 50 }, { name: "tick", data: { n: 0 } });
  await until(() => done.filter((one) => one === "tick").length >= 3);
  assert.equal(await queue.removeJobScheduler("clock"), true);
  assert.deepEqual(await queue.getJobSchedulers(), []);
});
