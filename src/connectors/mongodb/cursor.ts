import type { Document } from "mongodb";
import { CommandCursor } from "./command-cursor.ts";
import type { Cursor, CursorOptions } from "./cursor-contract.ts";
import { DriverCursor } from "./driver-cursor.ts";
import type { Server } from "./server.ts";

/** Opens a cursor in the way that the server needs. */
export function openCursor(server: Server, command: Document, options: CursorOptions): Cursor {
  return server.pinsCursors
    ? new DriverCursor(server, command, options)
    : new CommandCursor(server, command, options);
}
