// Node's `ws` at its best: node node_ws.mjs FILE CLIENTS. One message holds all events that are due, prebuilt, so that
// each client costs one send() and nothing is encoded.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { load } from "./frames.mjs";

const require = createRequire(pathToFileURL(process.env.NODE_MODULES_OF + "/"));
const { WebSocketServer } = require("ws");
const records = load(process.argv[2]);
const clients = [];
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 1024 });
server.on("listening", () => console.error(`ws://127.0.0.1:${server.address().port}`));
server.on("connection", (client) => {
  client.on("error", () => {});
  clients.push(client);
  if (clients.length === Number(process.argv[3])) play();
});

function play() {
  const start = performance.now();
  let next = 0;
  (function due() {
    const now = performance.now() - start;
    for (; next < records.length && records[next].dueMs <= now; next++) {
      for (const client of clients) client.send(records[next].payload, { binary: false });
    }
    if (next < records.length) setTimeout(due, records[next].dueMs - (performance.now() - start));
  })();
}
