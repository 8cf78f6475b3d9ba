import type { EdgeConfig } from '../config.js';
import type { Edge } from '../edge.js';

export interface ReloadParts {
  /** Reads the configuration anew. @throws {MicroturnError} `edge/config` */
  read(): EdgeConfig;
  readonly edge: Pick<Edge, 'swapModel' | 'renewCertificate'>;
  say(text: string): void;
}

/**
 * What SIGHUP does: reads the configuration again and loads the model it names, also where that is the folder it was
 * before, and reads the certificate again. Everything else in the configuration needs a restart. Never throws: the
 * edge goes on as it was.
 */
export async function reload({ read, edge, say }: ReloadParts): Promise<void> {
  try {
    if (await edge.renewCertificate()) say('  SIGHUP: new connections are shown the certificate as it is now');
  } catch (error) {
    say(`  SIGHUP: the certificate was not changed: ${messageOf(error)}`);
  }
  try {
    const { bundle } = read().engine;
    await edge.swapModel(bundle);
    say(`  SIGHUP: new calls talk with the model in ${bundle}; other options need a restart`);
  } catch (error) {
    say(`  SIGHUP: the model was not changed: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
