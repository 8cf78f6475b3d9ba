import type { EdgeConfig } from '../config.js';
import type { Edge } from '../edge.js';

export interface ReloadParts {
  /** Reads the configuration anew. @throws {MicroturnError} `edge/config` */
  read(): EdgeConfig;
  readonly edge: Pick<Edge, 'swapModel' | 'renewCertificate' | 'changeKeys'>;
  say(text: string): void;
}

/**
 * What SIGHUP does: reads the certificate again and the configuration; takes its API keys, and loads the model it names,
 * also where that is the folder it was before. Everything else in the configuration needs a restart. Never throws: what
 * is not valid changes nothing.
 */
export async function reload({ read, edge, say }: ReloadParts): Promise<void> {
  try {
    if (await edge.renewCertificate()) say('  SIGHUP: new connections are shown the certificate as it is now');
  } catch (error) {
    say(`  SIGHUP: the certificate was not changed: ${messageOf(error)}`);
  }
  let config: EdgeConfig;
  try {
    config = read();
  } catch (error) {
    say(`  SIGHUP: keys and model were not changed: ${messageOf(error)}`);
    return;
  }
  try {
    const ended = await edge.changeKeys(config.keys);
    say(`  SIGHUP: tokens of ${Object.keys(config.keys).length} keys are good${ended ? `; ${ended} calls ended` : ''}`);
  } catch (error) {
    say(`  SIGHUP: the keys were not changed: ${messageOf(error)}`);
  }
  try {
    const { bundle } = config.engine;
    await edge.swapModel(bundle);
    say(`  SIGHUP: new calls talk with the model in ${bundle}; other options need a restart`);
  } catch (error) {
    say(`  SIGHUP: the model was not changed: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
