import { RedisFailure, type RedisReply, RedisStatus } from "../redis/resp.ts";

/** A reply as JSON. Bytes are read as UTF-8, whatever they are, or given in base64. */
function replyText(reply: RedisReply, base64: boolean): string {
  if (reply === null) return "null";
  if (typeof reply === "number" || typeof reply === "bigint") return String(reply);
  if (reply instanceof RedisFailure) return JSON.stringify(reply.message);
  if (Buffer.isBuffer(reply)) return JSON.stringify(reply.toString(base64 ? "base64" : "utf8"));
  if (reply instanceof RedisStatus) return replyText(Buffer.from(reply.text), base64);
  return `[${reply.map((item) => replyText(item, base64)).join(",")}]`;
}

/** What stands for one command in the answer. */
export function itemText(reply: RedisReply, base64: boolean): string {
  // The one text that base64 leaves as it is, where nothing is around it.
  if (reply instanceof RedisStatus && reply.text === "OK") return '{"result":"OK"}';
  const field = reply instanceof RedisFailure ? "error" : "result";
  return `{"${field}":${replyText(reply, base64)}}`;
}

/** How many bytes of texts are in a reply. */
export function replySize(reply: RedisReply): number {
  if (Buffer.isBuffer(reply)) return reply.length;
  if (Array.isArray(reply)) return reply.reduce((sum: number, item: RedisReply) => sum + replySize(item), 0);
  return 0;
}
