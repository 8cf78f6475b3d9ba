import type { ResponseWord, SessionEventBody } from '@microturn/protocol';
import type { ShownWord } from '../engine/index.js';
import { plainly } from '../voice/index.js';
import type { Conversation, ConversationEffect, ConversationStep, LiveResponse } from './conversation-state.js';

/** A word counts as heard when it was played to its end, to one packet. */
const WORD_TOLERANCE_MS = 20;
/** A report names the packet being played, and the last one may never be reported: two packets. */
const END_TOLERANCE_MS = 40;
/** Words that a surface keeps; the oldest go first. */
const SHOWN_WORDS = 300;

/** Splits a response at what its listener heard. */
export function wordsUpTo(words: readonly ResponseWord[], heardMs: number): { heard: string; unheard: string } {
  const isHeard = (word: ResponseWord) => word.endMs <= heardMs + WORD_TOLERANCE_MS;
  const join = (list: readonly ResponseWord[]) => list.map((word) => word.text).join(' ');
  return { heard: join(words.filter(isHeard)), unheard: join(words.filter((word) => !isHeard(word))) };
}

export function isHeardToTheEnd({ lengthMs }: LiveResponse, heardMs: number): boolean {
  return heardMs >= lengthMs - END_TOLERANCE_MS;
}

/** Collects the changes of one step; lives no longer than it. */
export class StepBuilder {
  state: Conversation;
  readonly #events: SessionEventBody[] = [];
  readonly #effects: ConversationEffect[] = [];
  constructor(state: Conversation) {
    this.state = state;
  }
  result(): ConversationStep {
    return { state: this.state, events: this.#events, effects: this.#effects };
  }
  set(change: Partial<Conversation>): void {
    this.state = { ...this.state, ...change };
  }
  emit(event: SessionEventBody): void {
    this.#events.push(event);
  }
  find(id: string): LiveResponse | undefined {
    return this.state.responses.find((r) => r.id === id);
  }
  update(id: string, change: (response: LiveResponse) => LiveResponse): void {
    this.set({ responses: this.state.responses.map((r) => (r.id === id ? change(r) : r)) });
  }
  #remove({ id, kind, words, audience }: LiveResponse): void {
    this.set({ responses: this.state.responses.filter((r) => r.id !== id) });
    const text = words.map((word) => word.text).join(' ');
    if (text !== '' && kind !== 'backchannel') this.set({ said: { text, audience } });
  }
  begin(
    id: string,
    {
      kind,
      by,
      audience,
      atMs,
      taskId,
    }: Pick<LiveResponse, 'kind' | 'by' | 'audience'> & { readonly atMs: number; readonly taskId?: string },
  ): void {
    this.emit({ type: 'response.started', responseId: id, kind, audience, ...(taskId !== undefined && { taskId }) });
    const response: LiveResponse = {
      id,
      kind,
      by,
      audience,
      phase: 'speaking',
      speaking: 0,
      words: [],
      lengthMs: 0,
      chars: 0,
      dueAtMs: atMs,
      startedAtMs: undefined,
      sentAtMs: undefined,
      heardMs: 0,
      muted: false,
      cutBy: undefined,
      cutAtMs: undefined,
    };
    this.set({ responses: [...this.state.responses, response] });
  }
  speak(id: string, text: string, last: boolean): void {
    this.update(id, (r) => ({ ...r, speaking: r.speaking + 1, chars: r.chars + text.length }));
    const { audience } = this.find(id)!;
    const { manner } = this.state;
    this.#effects.push({ do: 'speak', responseId: id, audience, text, last, ...(manner !== plainly && { manner }) });
  }
  /** More words on their surfaces, for the page to show. */
  show(words: readonly ShownWord[], atMs: number): void {
    for (const { surface: surfaceId, text, of } of words) {
      const before = this.state.shown[surfaceId] ?? 0;
      const value = { text, ...(of !== undefined && { of }), atMs };
      const patch =
        before === 0
          ? [{ op: 'add' as const, path: '/words', value: [value] }]
          : [
              ...(before >= SHOWN_WORDS ? [{ op: 'remove' as const, path: '/words/0' }] : []),
              { op: 'add' as const, path: '/words/-', value },
            ];
      this.emit({ type: 'ui.patch', surfaceId, patch });
      this.set({ shown: { ...this.state.shown, [surfaceId]: Math.min(before + 1, SHOWN_WORDS) } });
    }
  }
  end({ id, audience }: LiveResponse): void {
    this.#effects.push({ do: 'end', responseId: id, audience });
  }
  overrule(): void {
    this.#effects.push({ do: 'overrule' });
  }
  cut(id: string, by: NonNullable<LiveResponse['cutBy']>, atMs: number): void {
    const response = this.find(id);
    if (!response || response.phase === 'cut') return;
    this.update(id, (r) => ({ ...r, phase: 'cut', cutBy: by, cutAtMs: atMs }));
    this.#effects.push({ do: 'cut', responseId: id, audience: response.audience });
    // Of one that waits nothing plays: the client has nothing to mute, and nothing to answer.
    if (response.startedAtMs === undefined) this.finishCut(id);
    else this.emit({ type: 'response.cut', responseId: id });
  }
  finishCut(id: string): void {
    const response = this.find(id);
    if (!response) return;
    const { heard, unheard } = wordsUpTo(response.words, response.heardMs);
    const { cutBy, cutAtMs, by, audience } = response;
    if ((cutBy === 'user' || cutBy === 'client') && by !== 'task' && unheard !== '')
      this.set({ stopped: { text: unheard, audience, atMs: cutAtMs! } });
    this.emit({
      type: 'response.interrupted',
      responseId: id,
      by: cutBy ?? 'agent',
      heardMs: response.heardMs,
      heardText: heard,
      unheardText: unheard,
    });
    this.#remove(response);
  }
  /** Said to nobody: it is in the history, and never makes a sound. */
  unheard(id: string, text: string): void {
    this.emit({
      type: 'response.interrupted',
      responseId: id,
      by: 'agent',
      heardMs: 0,
      heardText: '',
      unheardText: text,
    });
    this.set({ responses: this.state.responses.filter((r) => r.id !== id) });
  }
  hear(id: string, heardMs: number): void {
    const response = this.find(id);
    if (!response || heardMs <= response.heardMs) return;
    this.update(id, (r) => ({ ...r, heardMs }));
    this.emit({ type: 'response.heard', responseId: id, heardMs, heardText: wordsUpTo(response.words, heardMs).heard });
  }
  /** Its last word counts as heard where the end does, so nothing is missing from what is told of it. */
  complete(id: string): void {
    const response = this.find(id);
    if (!response) return;
    const heardMs = isHeardToTheEnd(response, response.heardMs) ? response.lengthMs : response.heardMs;
    this.hear(id, heardMs);
    // Who reports nothing is taken to have heard it; who reports that nothing plays is not.
    const unheardText = response.muted ? wordsUpTo(response.words, heardMs).unheard : '';
    this.emit({ type: 'response.completed', responseId: id, heardMs, ...(unheardText !== '' && { unheardText }) });
    this.#remove(response);
  }
}
