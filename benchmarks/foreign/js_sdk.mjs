// The official JavaScript SDK: file, URL and stream.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DeepgramClient } from "@deepgram/sdk";

const [baseUrl, audio, url, raw] = process.argv.slice(2);
const socketUrl = baseUrl.replace("http", "ws");
const client = new DeepgramClient({
  apiKey: "not-needed",
  timeoutInSeconds: 300,
  environment: { base: baseUrl, production: socketUrl, agent: socketUrl, agentRest: baseUrl },
});
const said = (answer) => answer.results.channels[0].alternatives[0].transcript;
const options = { model: "nova-3", smart_format: true };

console.log("file:", said(await client.listen.v1.media.transcribeFile(readFileSync(audio), options)));
console.log("url:", said(await client.listen.v1.media.transcribeUrl({ url, ...options })));

const connection = await client.listen.v1.connect({
  model: "nova-3",
  encoding: "linear16",
  sample_rate: 16000,
  smart_format: "true",
});
const finals = [];
const ended = new Promise((resolve) => {
  connection.on("message", (message) => {
    if (message.type === "Results" && message.is_final) finals.push(message.channel.alternatives[0].transcript);
    if (message.type === "Metadata") resolve();
  });
});
connection.connect();
await connection.waitForOpen();
const data = readFileSync(raw);
for (let at = 0; at < data.length; at += 3200) {
  connection.sendMedia(data.subarray(at, at + 3200));
  await sleep(20);
}
connection.sendCloseStream({ type: "CloseStream" });
await ended;
connection.close();
console.log("stream:", finals.filter(Boolean).join(" "));
