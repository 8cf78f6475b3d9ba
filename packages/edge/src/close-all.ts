import type { Log } from './telemetry/index.js';

export interface Closable {
  close(): void | Promise<void>;
}

/** Closes parts in the reverse of the order in which they were opened, and takes them out of `parts`; one that fails holds none up. */
export async function closeAll(parts: Closable[], log: Log): Promise<void> {
  for (const part of parts.splice(0).reverse()) {
    try {
      await part.close();
    } catch (error) {
      log.error({ err: error }, 'a part did not close');
    }
  }
}
