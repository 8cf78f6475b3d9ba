import { MicroturnError } from '@microturn/protocol';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CallError } from './call-error.js';
import { MIN_LEAD_MS } from './microphone-file.js';
import type { PageMessage } from './page/page-messages.js';
import { SOUND_DBFS } from './played.js';
import { TAIL_MS, placeCall, type CallOutcome } from './place-call.js';
import { detectorHelp } from './segments.js';
import { describeEvent, describeSummary } from './timeline.js';
import { encodeWav, parseWav, toInt16, type Pcm } from './wav.js';

const HELP = `A headless Chromium that calls a running edge, with a WAV file as its microphone.

  npm run call -- --wav FILE [--json] [--record OUT.wav] [--room ROOM] …

  --wav FILE           what the caller says: PCM or float, any rate, mixed to one channel; where fewer than ${MIN_LEAD_MS} ms of
                       silence are in front, silence is added (a browser does not send the first moments of it)
  --json               one JSON object per line: every event as it comes, and a summary at the end
  --record OUT.wav     write what was received: 48 kHz, mono
  --record-both OUT.wav  write what was sent (left) and received (right), sample for sample on one clock
  --room ROOM          the room to join; default: a new one
  --url URL            the edge; default http://127.0.0.1:7880, or MICROTURN_URL
  --token TOKEN        default: one from the edge's /dev/token
  --say TEXT --say-at MS   make the agent say TEXT, at MS of the recording; both can be given several times
  --tail SECONDS       go on for so long after the file's end and the last --say, and then to the end of what the agent is
                       saying; default ${TAIL_MS / 1000}
  --help

Times. One AudioWorklet records the microphone's track, as it is sent, and the agent's track, as it is received, sample for
sample on one clock. Its 0 is the recording's first sample, and every "…Ms" of the summary is on it. An event's "receivedMs" is
when it reached the page, on the same clock: the page's clock is held against the audio clock all the time, and the median of
their differences is taken, which is good to 5 ms (the audio clock moves in bursts of 10 ms). "at" is the edge's session clock.
A machine that is too busy for a moment makes a track late by what piles up in front of the recorder, 100 ms at most; in the
track's next pause of 0.3 s that is dropped.

Segments. ${detectorHelp}

Summary.
  agentSegments  when the agent was heard, and the words that its responses have at that time
  userSegments   when the microphone's track sounded
  overlapMs      how long both did
  responseGapMs  from the end of a user segment that the agent did not talk over, to the agent's next segment, where that comes
                 before the user's next one
  bargeInMs      from the onset of the user segment in which the user stopped a response, to the last sound of that response
  heardErrorMs   for every response that ended: what the edge says was heard of it ("heardMs" of response.completed or
                 .interrupted) less what was played of it. Played is measured on the audio: the last 100 to 240 ms that came
                 of the response are looked up, by their waveform, in the response's packets, which the page decodes a second
                 time beside the browser. So it says how far into the response its listener was, and not how long that took: a
                 browser stretches and shortens sound to keep its delay. Silence counts on neither side: played ends with the
                 last sound, and so does what was heard, where it ends in one of the response's pauses. Sound is what is above
                 ${SOUND_DBFS} dBFS. A response that follows another without a pause, or that cannot be found again, is left out.

Exit codes: 0 the call was made, 1 the edge refused or ended it, 2 wrong arguments or file, 3 no browser to call with.`;

const OPTIONS = {
  wav: { type: 'string' },
  json: { type: 'boolean' },
  record: { type: 'string' },
  'record-both': { type: 'string' },
  room: { type: 'string' },
  url: { type: 'string' },
  token: { type: 'string' },
  say: { type: 'string', multiple: true },
  'say-at': { type: 'string', multiple: true },
  tail: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let json = args.includes('--json');
  const print = (line: object | string) => console.log(typeof line === 'string' ? line : JSON.stringify(line));
  try {
    const values = parse(args);
    if (values.help) {
      print(HELP);
      return 0;
    }
    json = values.json ?? false;
    const outcome = await call(values, (line, text) => {
      if (json) print(line);
      else if (text !== undefined) print(text);
    });
    print(json ? outcome.summary : describeSummary(outcome.summary));
    return 0;
  } catch (error) {
    if (!(error instanceof CallError || error instanceof MicroturnError)) throw error;
    const { code, message, hint } = error;
    if (json) print({ type: 'failed', code, message, hint });
    console.error(`call: ${message} (${code})\n  fix: ${hint}`);
    return error instanceof CallError ? error.exitCode : 1;
  }
}

type Values = ReturnType<typeof parse>;

async function call(values: Values, tell: (line: object, text?: string) => void): Promise<CallOutcome> {
  const microphone = await readWav(values.wav);
  const outcome = await placeCall({
    url: values.url ?? process.env['MICROTURN_URL'] ?? 'http://127.0.0.1:7880',
    token: values.token,
    room: values.room,
    microphone,
    says: sayings(values),
    ...(values.tail !== undefined && { tailMs: 1000 * amount('--tail', values.tail) }),
    onEvent: (event) => tell(event, describeEvent(event)),
    onMessage: (message) => tellOther(message, tell),
  });
  const { sent, received, rateHz } = outcome.recording;
  if (values.record !== undefined) await write(values.record, [received], rateHz);
  if (values['record-both'] !== undefined) await write(values['record-both'], [sent, received], rateHz);
  return outcome;
}

/** What is no session event, under names that no event has. */
function tellOther(message: PageMessage, tell: (line: object, text?: string) => void): void {
  if (message.type === 'connection') {
    const { status, atMs } = message;
    tell({ type: 'call.connection', status, receivedMs: atMs });
  } else if (message.type === 'microphone') {
    tell({ type: 'call.microphone', receivedMs: message.atMs });
  } else if (message.type === 'problem') {
    tell({ ...message, type: 'call.problem' }, `  ! ${message.message} (${message.code}): ${message.hint}`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    throw new CallError('call/usage', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function sayings({ say: texts = [], 'say-at': times = [] }: Values): { text: string; atMs: number }[] {
  if (texts.length !== times.length)
    throw new CallError('call/usage', `${texts.length} × --say need as many --say-at, got ${times.length}`);
  return texts.map((text, i) => ({ text, atMs: amount('--say-at', times[i]!) }));
}

function amount(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new CallError('call/usage', `${flag}: expected a number from 0, got ${text}`);
  return value;
}

async function readWav(file: string | undefined): Promise<Pcm> {
  if (file === undefined) throw new CallError('call/usage', '--wav is missing');
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new CallError('call/bad-wav', `${file} cannot be read (${cause.code})`, { cause });
  });
  try {
    return parseWav(bytes);
  } catch (cause) {
    throw new CallError('call/bad-wav', `${file}: ${(cause as Error).message.replace(/^[^:]*: /, '')}`, { cause });
  }
}

async function write(file: string, channels: readonly Float32Array[], rateHz: number): Promise<void> {
  await writeFile(file, encodeWav(channels.map(toInt16), rateHz)).catch((cause: NodeJS.ErrnoException) => {
    throw new CallError('call/usage', `${file} cannot be written (${cause.code})`, { cause });
  });
}
