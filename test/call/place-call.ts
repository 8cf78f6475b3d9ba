import { Caller, type CallerOptions } from './caller.js';
import { MICROPHONE_HZ, toMicrophone } from './microphone-file.js';
import { summarize, type CallRecording, type CallSummary } from './summary.js';

export interface CallPlan extends CallerOptions {
  /** What the agent is made to say, and when: ms on the recording's clock. */
  readonly says?: readonly { readonly text: string; readonly atMs: number }[];
  /** How long the call goes on after the file's end. */
  readonly tailMs?: number;
}

export interface CallOutcome {
  readonly recording: CallRecording;
  readonly summary: CallSummary;
}

export const TAIL_MS = 3_000;

/** A call from beginning to end: the file is played, what there is to say is said, both sides are measured. */
export async function placeCall({ says = [], tailMs = TAIL_MS, ...options }: CallPlan): Promise<CallOutcome> {
  await using caller = await Caller.open(options);
  const lengthMs = options.microphone ? (toMicrophone(options.microphone).samples.length / MICROPHONE_HZ) * 1000 : 0;
  for (const { text, atMs } of [...says].sort((a, b) => a.atMs - b.atMs)) {
    await caller.untilRecorded(atMs);
    await caller.say(text);
  }
  await caller.untilRecorded(caller.microphoneMs + lengthMs + tailMs);
  const recording = await caller.hangUp();
  return { recording, summary: summarize(recording) };
}
