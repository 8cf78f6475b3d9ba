import { describe, expect, it } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import { plainly } from '../voice/manner.js';
import { AgentSpeech, type AgentSpeechParts } from './agent-speech.js';

/** What is spoken to the room, whose voice is free. */
function speechWith(rehearses: boolean) {
  const given: string[] = [];
  const parts = {
    room: 'a',
    participant: 'ann',
    endpoint: 'e',
    speaker: 'service',
    log: silentLog,
    voice: {
      speak: async ({ text }: { text: string }) => void given.push(`says ${text}`),
      rehearse: ({ text, speaker, caller }: { text: string; speaker?: string; caller?: string }) => {
        if (rehearses) given.push(`${speaker} rehearses for ${caller}: ${text}`);
        return rehearses;
      },
    },
    shared: { speak: (_id: string, say: () => void) => (say(), true) },
    apply: () => undefined,
    nowMs: () => 0,
  } as unknown as AgentSpeechParts;
  const speech = new AgentSpeech(parts);
  const say = (text: string) =>
    speech.run({ do: 'speak', responseId: 'r', audience: 'room', text, last: true, manner: plainly });
  return { speech, say, given };
}

describe('what the voice of an agent is given', () => {
  it('counts once what was rehearsed and is said, and what was rehearsed in vain', () => {
    const { speech, say, given } = speechWith(true);
    speech.rehearse('It is noon.');
    expect(speech.spoken.characters).toBe(11);
    say('It is noon. Yes.');
    expect(speech.spoken.characters).toBe(16);
    // It was said: the next time it is made anew.
    say('It is noon.');
    expect(speech.spoken.characters).toBe(27);
    speech.rehearse('Perhaps.');
    say('No.');
    expect(speech.spoken.characters).toBe(38);
    expect(given[0]).toBe('service rehearses for e: It is noon.');
  });

  it('counts nothing of what a voice does not make in advance', () => {
    const { speech, say } = speechWith(false);
    speech.rehearse('It is noon.');
    expect(speech.spoken.characters).toBe(0);
    say('It is noon.');
    expect(speech.spoken.characters).toBe(11);
  });
});
