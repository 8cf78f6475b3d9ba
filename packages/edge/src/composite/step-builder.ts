import type { DropReason, SessionEventBody } from '@microturn/protocol';
import type { Act, DecodedWord } from '../engine/types.js';
import { plainWords, readDraft, type Draft } from './draft.js';
import { turnsOf } from './heard-history.js';
import type { Answer, TurnTaking, TurnTakingInput, TurnTakingStep, Utterance } from './turn-state.js';
import type { CompositeEffect, Speech } from './types.js';

const MINUTE_MS = 60_000;

/** Collects the changes of one step; lives no longer than it. */
export class StepBuilder {
  state: TurnTaking;
  acts: readonly Act[] = [];
  takesBack: string | undefined;
  speech: Speech | undefined;
  readonly words: DecodedWord[] = [];
  readonly #effects: CompositeEffect[] = [];
  constructor(state: TurnTaking) {
    this.state = state;
  }
  result(): TurnTakingStep {
    const { state, words, acts, takesBack, speech } = this;
    return { state, effects: this.#effects, composed: { words, acts, takesBack, speech } };
  }
  set(change: Partial<TurnTaking>): void {
    this.state = { ...this.state, ...change };
  }
  run(effect: CompositeEffect): void {
    this.#effects.push(effect);
  }
  emit(event: SessionEventBody): void {
    this.run({ do: 'emit', event });
  }
  /** A number that was not given before. */
  next(): number {
    this.set({ count: this.state.count + 1 });
    return this.state.count;
  }

  ask(words: readonly string[], atMs: number, partial: boolean): Draft {
    const { history, typed, shown } = this.state;
    const text = words.join(' ');
    const draftId = `draft-${this.next()}`;
    const fields = [...typed].map(([field, value]) => ({ field, text: value }));
    const pictures = [...shown.values()].flat();
    this.run({ do: 'ask', ask: { draftId, turns: turnsOf(history), words: text, partial, typed: fields, pictures } });
    if (partial) this.emit({ type: 'draft.started', draftId, words: text });
    const blank = { text: '', done: false, askedAtMs: atMs, firstAtMs: undefined, rehearsed: false };
    return { id: draftId, on: plainWords(words), ...blank };
  }
  changeDraft(id: string, change: (draft: Draft) => Draft): void {
    const { drafts, answer, held } = this.state;
    this.set({ drafts: drafts.map((one) => (one.id === id ? change(one) : one)) });
    if (answer?.draft.id === id) this.set({ answer: { ...answer, draft: change(answer.draft) } });
    if (held?.draft.id === id) this.set({ held: { ...held, draft: change(held.draft) } });
  }
  committed(draft: Draft, atMs: number): void {
    const kind = readDraft(draft)?.kind ?? 'reply';
    const aheadMs = draft.firstAtMs === undefined ? 0 : atMs - draft.firstAtMs;
    this.emit({ type: 'draft.committed', draftId: draft.id, kind, aheadMs });
  }
  dropped({ id, text }: Draft, reason: DropReason): void {
    this.emit({ type: 'draft.dropped', draftId: id, reason, chars: text.length });
  }
  drop(draft: Draft, reason: DropReason): void {
    if (!draft.done) this.run({ do: 'cancel', draftId: draft.id });
    this.dropped(draft, reason);
    this.set({ drafts: this.state.drafts.filter((one) => one.id !== draft.id) });
  }
  /** This is the answer from now on: it answers what one that was held back was asked, too. */
  answer(answer: Answer): void {
    const { held } = this.state;
    if (held && !held.draft.done && !held.cancelled) this.run({ do: 'cancel', draftId: held.draft.id });
    this.set({ answer, held: undefined });
  }
  /** Nothing more of the answer is said. */
  withdraw(): void {
    const { answer } = this.state;
    if (!answer) return;
    if (!answer.draft.done) this.run({ do: 'cancel', draftId: answer.draft.id });
    this.set({ answer: undefined });
  }
  /** Its words are known, or not wanted. */
  close({ id, coveredMs }: Utterance): void {
    this.run({ do: 'unlisten', utterance: id });
    this.set({ utterance: undefined, heardToMs: coveredMs });
  }
  /** What they say is not for the agent. */
  forget(utterance: Utterance): void {
    for (const one of this.state.drafts) this.drop(one, 'elsewhere');
    this.close(utterance);
  }
  /** By drafts, in this minute. */
  spentAt(atMs: number): TurnTaking['budget'] {
    const { budget } = this.state;
    return atMs - budget.sinceMs < MINUTE_MS ? budget : { sinceMs: atMs, tokens: 0, cost: 0 };
  }
  spend({ atMs, tokens, cost }: TurnTakingInput & { type: 'spent' }): void {
    const { sinceMs, ...before } = this.spentAt(atMs);
    this.set({ budget: { sinceMs, tokens: before.tokens + tokens, cost: before.cost + cost } });
  }
}
