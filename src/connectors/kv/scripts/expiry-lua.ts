/** When a key expires, as a script of the server sees it. */
import type { ExpiryCommand } from "../reading/expiries.ts";

/**
 * Defines `ends(key)`, in milliseconds since 1970, -1 for a key that stays and -2 for none, and `ends_at(end, expected)`. Without
 * PEXPIRETIME the end is reckoned from two clocks that do not tick together.
 */
export function expiryLua(command: ExpiryCommand): string {
  return command === "PEXPIRETIME" ? EXACT : RECKONED;
}

const EXACT = `local function ends(key)
  return call('PEXPIRETIME', key)
end
local function ends_at(found, expected)
  return found == tonumber(expected)
end
`;

const RECKONED = `local function ends(key)
  local left = call('PTTL', key)
  if left < 0 then return left end
  local now = call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000) + left
end
local function ends_at(found, expected)
  return math.abs(found - tonumber(expected)) <= (found < 0 and 0 or 100)
end
`;
