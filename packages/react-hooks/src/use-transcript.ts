import type { AgentResponse, TranscriptEntry, UserUtterance } from '@microturn/sdk';
import { useMemo } from 'react';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

const none: readonly TranscriptEntry[] = [];

/** What was said, by time: both sides, or one of them. */
export function useTranscript(): readonly TranscriptEntry[];
export function useTranscript(options: { readonly speaker: 'user' }): readonly UserUtterance[];
export function useTranscript(options: { readonly speaker: 'agent' }): readonly AgentResponse[];
export function useTranscript(options?: {
  readonly speaker?: 'user' | 'agent' | undefined;
}): readonly TranscriptEntry[];
export function useTranscript(
  options: { readonly speaker?: 'user' | 'agent' | undefined } = {},
): readonly TranscriptEntry[] {
  const entries = useStateValue(useSession().transcript, none);
  const { speaker } = options;
  return useMemo(() => (speaker ? entries.filter((entry) => entry.speaker === speaker) : entries), [entries, speaker]);
}
