// What the tests share: clients of the mock that `mock-upstash run` has started, and its clock.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Redis } from "@upstash/redis";

const url = process.env.UPSTASH_REDIS_REST_URL;
const token = process.env.UPSTASH_REDIS_REST_TOKEN;

export function connect(options = {}) {
  return new Redis({ url, token, ...options });
}

// Asks something of the mock itself.
export async function mock(method, path, body) {
  const response = await fetch(`${url}/_mock/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return response.json();
}

export const advance = (ms) => mock("POST", "time", { advance_ms: ms });

// Waits until a condition holds; what is awaited here arrives over a stream.
export async function until(condition) {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not happen within five seconds");
}

// A client of a second database, whose server ends with the test process.
export async function region() {
  const server = spawn(process.env.MOCK_UPSTASH, ["--listen", "127.0.0.1:0", "--token", token], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => server.kill());
  server.unref();
  const [line] = await once(createInterface(server.stdout), "line");
  return connect({ url: line.replace("UPSTASH_REDIS_REST_URL=", "") });
}
