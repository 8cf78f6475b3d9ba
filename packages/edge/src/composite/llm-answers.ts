import { MicroturnError } from '@microturn/protocol';
import { Budget } from '../llm/budget.js';
import type { ChatToolCall } from '../llm/index.js';
import { answerCall, toCallsMessage } from '../llm/tool-calls.js';
import type { SessionTools } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import { systemPrompt, toMessages, TOOL_RULES } from './prompt.js';
import type { TurnTakingInput } from './turn-taking.js';
import type { Ask, ChatSource } from './types.js';

export interface LlmAnswersParts {
  readonly llm: ChatSource;
  /** Names of models, in order of preference; all where none are given. */
  readonly models?: readonly string[] | undefined;
  readonly instructions?: string | undefined;
  /** Whether it is shown pictures; one that takes none is told that there are some. */
  readonly sees?: boolean | undefined;
  readonly maxOutputTokens: number;
  readonly log: Log;
}

/** What an answer tells the row that it is for. */
export interface AnswersHost {
  nowMs(): number;
  /** The functions that it may call now. */
  tools(): SessionTools | undefined;
  apply(input: Exclude<TurnTakingInput, { type: 'decision' }>): void;
  /** Whether this draft was committed: it is being said. */
  isAnswer(draftId: string): boolean;
  /** Whether it may be committed yet: a draft, or an answer that is held back. */
  mayBeAnswer(draftId: string): boolean;
  /** The user is saying something that is not settled yet. */
  userSpeaks(): boolean;
  report(error: MicroturnError): void;
}

/** A spoken answer that is longer than this is no answer; what comes after is not read. */
const LONGEST_ANSWER_CHARS = 8000;
/** Rounds of tool calls in one answer; the last one must do without. */
const MOST_STEPS = 5;
/** How an answer ends that is not all of it. */
const CUTS: Readonly<Partial<Record<string, string>>> = {
  length: 'it was cut at the most tokens that it may have, thoughts included (maxOutputTokens)',
  filtered: 'its provider has filtered it',
};

interface Asking {
  readonly abort: AbortController;
  /** What the user said while a tool worked. */
  readonly added: string[];
  /** What it waits for, if anything. */
  waits: { readonly over: () => boolean; readonly goOn: () => void } | undefined;
}

/**
 * What one row asks of its LLM. Answers and drafts stream into the taking of turns; a draft that wants to call a tool waits
 * until it is the answer, for a tool may change something.
 */
export class LlmAnswers {
  readonly #parts: LlmAnswersParts;
  readonly #host: AnswersHost;
  readonly #system: string;
  readonly #open = new Map<string, Asking>();
  /** What is wrong with those that may be the answer yet. */
  readonly #faults = new Map<string, MicroturnError>();
  /** What was asked for, drafts included. It has no limit: those of `drafting` are kept by the turn-taking. */
  readonly #budget = new Budget();

  constructor(parts: LlmAnswersParts, host: AnswersHost) {
    this.#parts = parts;
    this.#host = host;
    this.#system = systemPrompt(parts.instructions);
  }

  /** Tokens so far. What is being written counts when it ends. */
  get spent() {
    return this.#budget.spent;
  }

  /** Streams an answer to its end. Nothing is thrown, and nothing is told of one that was given up. */
  async ask(ask: Ask): Promise<void> {
    const { draftId, partial } = ask;
    const { apply } = this.#host;
    const asking: Asking = { abort: new AbortController(), added: [], waits: undefined };
    this.#open.set(draftId, asking);
    const budget = new Budget();
    const { signal } = asking.abort;
    try {
      await this.#answer(ask, asking, budget);
      if (!signal.aborted) apply({ type: 'draft.done', atMs: this.#host.nowMs(), draftId });
    } catch (cause) {
      if (signal.aborted) return;
      this.#failed(ask, MicroturnError.from(cause, 'edge/internal'));
      apply({ type: 'draft.failed', atMs: this.#host.nowMs(), draftId });
    } finally {
      this.#open.delete(draftId);
      const { tokensIn, tokensOut, cost } = budget.spent;
      this.#budget.spend(budget.spent);
      if (partial) apply({ type: 'spent', atMs: this.#host.nowMs(), tokens: tokensIn + tokensOut, cost });
    }
  }

  /** It is not wanted any more, nor what its tools would give. */
  cancel(draftId: string): void {
    this.#open.get(draftId)?.abort.abort(new MicroturnError('session/aborted'));
  }
  /** The user said something while it waits for a tool. */
  add(draftId: string, words: string): void {
    this.#open.get(draftId)?.added.push(words);
  }
  /** Something has changed: a draft may be the answer now, or the user may have ended. What waits for that goes on. */
  settle(): void {
    for (const { waits } of this.#open.values()) if (waits?.over()) waits.goOn();
    for (const [draftId, fault] of this.#faults) {
      if (this.#host.mayBeAnswer(draftId)) continue;
      this.#faults.delete(draftId);
      if (this.#host.isAnswer(draftId)) this.#host.report(fault);
    }
  }
  close(): void {
    for (const draftId of this.#open.keys()) this.cancel(draftId);
    this.#open.clear();
    this.#faults.clear();
  }

  async #answer(ask: Ask, asking: Asking, budget: Budget): Promise<void> {
    const { llm, models, maxOutputTokens, sees = false } = this.#parts;
    const { signal } = asking.abort;
    const { draftId, partial } = ask;
    const { isAnswer, userSpeaks, apply, nowMs } = this.#host;
    const messages = toMessages(ask, { sees, calls: (this.#host.tools()?.list().length ?? 0) > 0 });
    let chars = 0;
    for (let step = 1; ; step++) {
      const tools = this.#host.tools();
      const offered = step < MOST_STEPS && tools ? tools.list() : [];
      const stream = llm.stream({
        purpose: partial ? 'draft' : 'reply',
        system: this.#system,
        messages,
        ...(offered.length > 0 && { tools: offered, toolRules: TOOL_RULES }),
        ...(models && { models }),
        maxOutputTokens,
        budget,
        signal,
      });
      const calls: ChatToolCall[] = [];
      let text = '';
      let cut: string | undefined;
      for await (const part of stream) {
        if (signal.aborted) return;
        if (part.type === 'tool-call') calls.push(part);
        if (part.type === 'done') cut = CUTS[part.reason];
        if (part.type !== 'text') continue;
        text += part.text;
        chars += part.text.length;
        this.#write(draftId, part.text);
        if (chars > LONGEST_ANSWER_CHARS) return;
      }
      if (calls.length === 0 || offered.length === 0 || !tools) {
        const problem = cut ?? (calls.length > 0 ? 'it calls tools where there are none' : undefined);
        // Whoever asked is owed a word; one that says nothing of its own accord is silence.
        if (problem !== undefined && text.trim() === '') throw new MicroturnError('llm/malformed', problem);
        if (cut !== undefined) this.#failed(ask, new MicroturnError('llm/malformed', cut));
        return;
      }
      // What it said before the call is a sentence of its own.
      if (text.trim() !== '') this.#write(draftId, '\n');
      await until(() => isAnswer(draftId), asking);
      apply({ type: 'draft.calls', atMs: nowMs(), draftId, calling: true });
      const results = await Promise.all(calls.map((call) => answerCall(call, () => tools.call(call, signal))));
      signal.throwIfAborted();
      apply({ type: 'tools.answered', calls, results });
      messages.push(toCallsMessage(text, calls), { role: 'tool', content: results });
      // What they are saying may change what is to be made of it.
      await until(() => !userSpeaks(), asking);
      const added = asking.added.splice(0).join(' ');
      if (added !== '') messages.push({ role: 'user', content: added });
      apply({ type: 'draft.calls', atMs: nowMs(), draftId, calling: false });
    }
  }

  /** Of a draft that nobody waits for, nobody needs to know, unless it comes to be the answer. */
  #failed({ draftId, partial }: Ask, error: MicroturnError): void {
    if (!partial || this.#host.isAnswer(draftId)) {
      this.#host.report(error);
      return;
    }
    this.#parts.log.debug({ code: error.code }, 'a draft failed');
    if (this.#host.mayBeAnswer(draftId)) this.#faults.set(draftId, error);
  }

  #write(draftId: string, text: string): void {
    this.#host.apply({ type: 'draft.text', atMs: this.#host.nowMs(), draftId, text });
  }
}

/** @throws where it is given up before */
async function until(over: () => boolean, asking: Asking): Promise<void> {
  const { signal } = asking.abort;
  if (over()) return;
  await new Promise<void>((goOn, reject) => {
    asking.waits = { over, goOn };
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
