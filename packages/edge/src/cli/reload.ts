import type { EdgeConfig } from '../config.js';

export interface ReloadParts {
  /** Reads the configuration anew. @throws {MicroturnError} `edge/config` */
  read(): EdgeConfig;
  swapModel(bundleDir: string): Promise<void>;
  say(text: string): void;
}

/**
 * What SIGHUP does: reads the configuration again and loads the model it names, also where that is the folder it was
 * before. Everything else in the configuration needs a restart. Never throws: the edge goes on as it was.
 */
export async function reloadModel({ read, swapModel, say }: ReloadParts): Promise<void> {
  try {
    const { bundle } = read().engine;
    await swapModel(bundle);
    say(`  SIGHUP: new calls talk with the model in ${bundle}; other options need a restart`);
  } catch (error) {
    say(`  SIGHUP: nothing was changed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
