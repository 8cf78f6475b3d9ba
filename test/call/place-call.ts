import { Caller, type CallerOptions } from './caller.js';
import { MICROPHONE_HZ, toMicrophone } from './microphone-file.js';
import { summarize, type CallRecording, type CallSummary } from './summary.js';

export interface CallPlan extends CallerOptions {
  /** What the agent is made to say, and when: ms on the recording's clock. */
  readonly says?: readonly { readonly text: string; readonly atMs: number }[];
  /** How long the call goes on after the file's end and the last of `says`; and then to the end of what the agent is saying. */
  readonly tailMs?: number;
}

export interface CallOutcome {
  readonly recording: CallRecording;
  readonly summary: CallSummary;
}

export const TAIL_MS = 3_000;
/** A response that does not end by then is left unended. */
const LONGEST_RESPONSE_MS = 30_000;

/** A call from beginning to end: the file is played, what there is to say is said, both sides are measured. */
export async function placeCall({ says = [], tailMs = TAIL_MS, ...options }: CallPlan): Promise<CallOutcome> {
  await using caller = await Caller.open(options);
  const lengthMs = options.microphone ? (toMicrophone(options.microphone).samples.length / MICROPHONE_HZ) * 1000 : 0;
  for (const { text, atMs } of [...says].sort((a, b) => a.atMs - b.atMs)) {
    await caller.untilRecorded(atMs);
    await caller.say(text);
  }
  const lastSayMs = Math.max(0, ...says.map(({ atMs }) => atMs));
  await caller.untilRecorded(Math.max(caller.microphoneMs + lengthMs, lastSayMs) + tailMs);
  await caller.untilQuiet(LONGEST_RESPONSE_MS);
  const recording = await caller.hangUp();
  return { recording, summary: summarize(recording) };
}
