// The records that the benchmarks prebuild: [due (µs, 8 bytes), length, length of the head (4 each), frame], …
import { readFileSync } from "node:fs";

export function load(path) {
  const data = readFileSync(path);
  const records = [];
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32LE(at + 8);
    const head = data.readUInt32LE(at + 12);
    records.push({ dueMs: Number(data.readBigInt64LE(at)) / 1000, payload: data.subarray(at + 16 + head, at + 16 + length) });
    at += 16 + length;
  }
  return records;
}
