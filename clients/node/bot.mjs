// A bot on plain `ws`: prints quotes, trades and one-second bars of ES, one JSON object a line,
// and checks that none is missing.
//
//   npm install && node bot.mjs ws://127.0.0.1:8765 --count 20 [--msgpack]
import { parseArgs } from "node:util";
import WebSocket from "ws";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string" }, msgpack: { type: "boolean", default: false } },
});
const url = positionals[0] ?? "ws://127.0.0.1:8765";
const count = options.count === undefined ? Infinity : Number(options.count);
if (Number.isNaN(count)) {
  console.error("--count takes a number");
  process.exit(2);
}

const json = { name: "feedsim.v1.json", encode: JSON.stringify, decode: (data) => JSON.parse(data.toString()) };
const { name, encode, decode } = options.msgpack ? await msgpack() : json;

// Each stream counts its own events by `n`; bars of another length are another stream.
const lastN = new Map();
const streamOf = (event) => [event.type, event.symbol, ...("tf_s" in event ? [event.tf_s] : [])].join("/");
let missing = 0;
let printed = 0;

const socket = new WebSocket(url, [name], { perMessageDeflate: false });
socket.on("open", () =>
  socket.send(
    encode({ op: "subscribe", id: 1, channels: ["status", "l1", "trade", "bar"], symbols: ["ES"], tf_s: [1] }),
  ),
);
socket.on("message", (data) => {
  const message = decode(data);
  switch (message.type) {
    case "snapshot": // the newest event of each stream; live goes on from there
      for (const event of message.events) lastN.set(streamOf(event), event.n);
      break;
    case "events":
      for (const event of message.events) if (printed < count) take(event);
      break;
    case "skipped": // we were too slow and are told what we lost
      console.error("skipped", message.stream.join("/"), message.first_n, message.last_n);
      lastN.set(message.stream.join("/"), message.last_n);
      break;
    case "error":
      console.error(`${message.code}: ${message.message}`);
      process.exit(1);
    // what is left are answers, and a heartbeat every second
  }
});
socket.on("error", (problem) => {
  console.error(problem.message || problem.code);
  process.exit(1);
});
socket.on("close", (code) => {
  if (missing > 0) console.error(`${missing} events are missing`);
  else if (![1000, 1001].includes(code)) console.error(`closed with ${code}`);
  process.exitCode = missing > 0 || ![1000, 1001].includes(code) ? 1 : 0;
});

function take(event) {
  if (event.type === "status" && event.phase === "epoch") lastN.clear(); // a loop or a seek: all counts start again
  const stream = streamOf(event);
  missing += event.n - 1 - (lastN.get(stream) ?? event.n - 1);
  lastN.set(stream, event.n);
  console.log(JSON.stringify(event));
  printed += 1;
  if (printed === count) socket.close(1000);
}

async function msgpack() {
  const { encode, decode } = await import("@msgpack/msgpack");
  return { name: "feedsim.v1.msgpack", encode, decode };
}
