import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright';
import { CallError } from './call-error.js';

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * A Chromium on this machine: the one that MICROTURN_CHROMIUM names, else one in the usual places, else Playwright's own.
 * @throws {CallError} `call/no-chromium`
 */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = env['MICROTURN_CHROMIUM'];
  if (named) {
    if (existsSync(named)) return named;
    throw new CallError('call/no-chromium', `MICROTURN_CHROMIUM is ${named}, and there is no such file`);
  }
  const found = [...USUAL_PLACES, chromium.executablePath()].find((place) => place && existsSync(place));
  if (!found) throw new CallError('call/no-chromium');
  return found;
}

export interface BrowserOptions {
  readonly executablePath?: string | undefined;
  /** 48 kHz WAV that the fake microphone plays, from getUserMedia on. Without it the browser's own beeps are heard. */
  readonly microphoneFile?: string | undefined;
  /** Plays the file again and again. */
  readonly loop?: boolean;
  /** False: the page may not play sound before the user acts on it, as browsers have it. */
  readonly autoplay?: boolean;
  /** True: certificates are taken for good that nobody vouches for, a TURN server's too. */
  readonly anyCertificate?: boolean;
  /** True: nobody says yes to what the browser asks, but for what a context grants */
  readonly asks?: boolean;
  /** Further switches; of two that are the same, these count. */
  readonly switches?: readonly string[];
}

/** @throws {CallError} `call/no-chromium`, `call/browser` */
export async function launchChromium(options: BrowserOptions = {}): Promise<Browser> {
  const {
    executablePath = findChromium(),
    microphoneFile,
    loop = false,
    autoplay = true,
    anyCertificate = false,
    asks = false,
    switches = [],
  } = options;
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    ...(asks ? [] : ['--use-fake-ui-for-media-stream']),
    ...(anyCertificate ? ['--ignore-certificate-errors'] : []),
    ...(autoplay ? ['--autoplay-policy=no-user-gesture-required'] : []),
    ...(microphoneFile === undefined
      ? []
      : [`--use-file-for-fake-audio-capture=${microphoneFile}${loop ? '' : '%noloop'}`]),
    ...switches,
  ];
  try {
    return await chromium.launch({ executablePath, headless: true, args });
  } catch (cause) {
    throw new CallError('call/browser', `${executablePath} does not start: ${firstLine(cause)}`, { cause });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
