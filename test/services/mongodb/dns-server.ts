import { createSocket } from "node:dgram";
import dns from "node:dns";

/** What a name server of the test says to every question. `foreign`: an SRV record of another domain. */
export type DnsAnswer = "unknown" | "empty" | "failure" | "foreign" | "silence";

const RESPONSE_CODE: Readonly<Record<DnsAnswer, number>> = {
  unknown: 3,
  empty: 0,
  failure: 2,
  foreign: 0,
  silence: 0,
};

/** Makes a name server on loopback the one that this process asks for SRV records, while `work` is running. */
export async function withDns(answer: DnsAnswer, work: () => Promise<void>): Promise<void> {
  const before = dns.getServers();
  const socket = createSocket("udp4");
  socket.on("message", (question, from) => {
    if (answer !== "silence") socket.send(responseTo(question, answer), from.port, from.address);
  });
  await new Promise<void>((ready) => socket.bind(0, "127.0.0.1", ready));
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  try {
    await work();
  } finally {
    dns.setServers(before);
    await new Promise<void>((closed) => socket.close(closed));
  }
}

function responseTo(question: Buffer, answer: DnsAnswer): Buffer {
  let end = 12; // the header; then the name, label by label, and its type and class
  while (question[end] !== 0) end += (question[end] ?? 0) + 1;
  const head = Buffer.from(question.subarray(0, end + 5));
  head.writeUInt16BE(0x8180 | RESPONSE_CODE[answer], 2);
  head.fill(0, 6, 12);
  if (answer !== "foreign") return head;
  head.writeUInt16BE(1, 6);
  const host = Buffer.from("\u0004evil\u0005other\u0007example\0", "latin1");
  const place = Buffer.from([0, 0, 0, 0, 0x69, 0x89]); // priority, weight, port 27017
  const record = Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, place.length + host.length]);
  return Buffer.concat([head, record, place, host]);
}
