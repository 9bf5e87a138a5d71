// @upstash/realtime: events to those who listen, history to those who come later.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Realtime } from "@upstash/realtime";
import { z } from "zod/v4";
import { connect, mock, until } from "./mock.js";

beforeEach(() => mock("POST", "reset"));

const schema = { chat: { message: z.object({ text: z.string() }) } };

test("events arrive, and are kept", async () => {
  const realtime = new Realtime({ schema, redis: connect(), history: { maxLength: 100 } });
  const room = realtime.channel("room-1");
  await room.emit("chat.message", { text: "before" });
  const got = [];
  const unsubscribe = await room.subscribe({
    events: ["chat.message"],
    history: true,
    onData: ({ data }) => got.push(data.text),
  });
  await room.emit("chat.message", { text: "live" });
  await until(() => got.length === 2);
  assert.deepEqual(got, ["before", "live"]);
  unsubscribe();
  const history = await room.history();
  assert.deepEqual(history.map(({ event, data }) => [event, data.text]), [
    ["chat.message", "before"],
    ["chat.message", "live"],
  ]);
  room.unsubscribe();
});
