// A bot on plain `ws`: prints quotes, trades and one-second bars of ES, one JSON object a line. It checks by `n` that
// none is missing, and after a lost connection it goes on where it was.
//
//   npm install && node bot.mjs ws://127.0.0.1:8765 --count 20 [--msgpack]
import { parseArgs } from "node:util";
import WebSocket from "ws";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "Infinity" }, // stop after so many events
    retries: { type: "string", default: "6" }, // how often to try a lost connection again
    msgpack: { type: "boolean", default: false },
  },
});
const url = positionals[0] ?? "ws://127.0.0.1:8765";
const retries = Number(options.retries);
let left = Number(options.count);
if (Number.isNaN(left + retries)) {
  console.error("--count and --retries take numbers");
  process.exit(2);
}

const WANTED = { op: "subscribe", id: 2, channels: ["l1", "trade", "bar"], symbols: ["ES"], tf_s: [1] };
const FIRST_WAIT_MS = 250; // after a lost connection a random wait of up to this, then of up to twice as long each time
const LOST = 1006; // what `ws` reports when a connection ended without a close frame

const json = { name: "feedsim.v1.json", encode: JSON.stringify, decode: (data) => JSON.parse(data.toString()) };
const { name, encode, decode } = options.msgpack ? await msgpack() : json;

let greeting; // the welcome of this connection
let session; // the welcome of the session that we are on
let seq = null; // we have everything up to here
let missing = 0;
let tries = 0;
const lastN = new Map(); // each stream counts its own events by `n`; bars of another length are another stream
const streamOf = (event) => [event.type, event.symbol, ...("tf_s" in event ? [event.tf_s] : [])].join("/");

listen();

function listen() {
  const socket = new WebSocket(url, [name], { perMessageDeflate: false });
  const say = (request) => socket.send(encode(request));
  let problem;
  socket.on("message", (data) => hear(decode(data), say, () => socket.close(1000)));
  socket.on("error", (error) => (problem = error.message || error.code));
  socket.on("close", (code) => {
    if (code === LOST && seq !== null && left > 0 && tries < retries) {
      setTimeout(listen, Math.random() * FIRST_WAIT_MS * 2 ** tries++);
    } else end(code, problem);
  });
}

function end(code, problem) {
  if (missing > 0) console.error(`${missing} events are missing`);
  else if (![1000, 1001].includes(code)) console.error(problem ?? `closed with ${code}`);
  process.exitCode = missing > 0 || ![1000, 1001].includes(code) ? 1 : 0;
}

function hear(message, say, stop) {
  switch (message.type) {
    case "welcome":
      if (message.id === null && seq !== null) {
        greeting = message; // back after a lost connection
        say({ op: "resume", id: 1, session_id: session.session_id, epoch: session.epoch, seq });
      } else {
        session = message;
        say({ ...WANTED, from_seq: seq });
      }
      break;
    case "events":
      message.events.forEach(take);
      if (left === 0) stop();
      break;
    case "snapshot": // the newest event of each stream; live goes on from there
      seq = message.seq;
      for (const event of message.events) lastN.set(streamOf(event), event.n);
      break;
    case "skipped": // we were too slow and are told what we lost
      console.error("skipped", message.stream.join("/"), message.first_n, message.last_n);
      lastN.set(message.stream.join("/"), message.last_n);
      break;
    case "replay_state":
      if (message.state === "ended") stop();
      if (message.epoch === session.epoch) break;
      session.epoch = message.epoch; // a loop or a seek: all counts begin again
      seq = 0;
      lastN.clear();
      break;
    case "error":
      console.error(message.code === "resume_too_old" ? message.message : `${message.code}: ${message.message}`);
      if (message.code !== "resume_too_old") process.exit(1);
      session = greeting; // what lies between is lost
      seq = null;
      lastN.clear();
      say(WANTED);
      break;
    // what is left are answers, and a heartbeat every second
  }
}

function take(event) {
  if (left === 0) return;
  const stream = streamOf(event);
  missing += event.n - 1 - (lastN.get(stream) ?? event.n - 1);
  lastN.set(stream, event.n);
  seq = event.seq;
  tries = 0;
  console.log(JSON.stringify(event));
  left -= 1;
}

async function msgpack() {
  const { encode, decode } = await import("@msgpack/msgpack");
  return { name: "feedsim.v1.msgpack", encode, decode };
}
