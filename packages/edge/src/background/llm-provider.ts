import { MicroturnError } from '@microturn/protocol';
import { encodeWav } from '../transcribe/wav.js';
import {
  answerCall,
  toCallsMessage,
  type ChatToolCall,
  type LanguageModels,
  type ModelInput,
  type ModelMessage,
} from '../llm/index.js';
import type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
import { isBusy, type Task } from './task-reducer.js';
import { askUser } from './tools/ask-user.js';

export interface LlmProviderOptions {
  readonly languageModels: LanguageModels;
  /** Names, in order of preference. */
  readonly models: readonly string[] | undefined;
  readonly instructions: string | undefined;
}

/** Requests of one task; the last one is offered no tools, and must answer. docs/background.md says so. */
const MAX_STEPS = 8;
/** What is remembered of a long talk. */
const CONVERSATION_CHARS = 24_000;
const OTHER_CHARS = 400;

const ROLE = `You work in the background of a live spoken conversation. Another model listens and talks with the user; you are asked when something needs knowledge, reasoning or tools, while they keep talking.
What you write is read aloud as it comes. Answer in one to three short, plain sentences, the most important first. No mark-up, no lists, no addresses.
Say when something is not known. If nothing is asked of you, answer with a single hyphen.`;

const TOOL_RULES =
  'Call tools where facts are needed rather than guess. If you cannot go on without knowing something of the user, call ask_user.';

/** Has a language model work on tasks, with tools. A request that fails is tried again by itself: tools that ran are not run again. */
export class LlmProvider implements BackgroundProvider {
  readonly #options: LlmProviderOptions;

  constructor(options: LlmProviderOptions) {
    this.#options = options;
  }

  get takesAudio(): boolean {
    return this.#takes(['audio']);
  }

  /** Whether one of the models takes all of these at once. */
  #takes(inputs: readonly ModelInput[]): boolean {
    const { languageModels, models } = this.#options;
    return languageModels.states.some(
      ({ name, takes }) => inputs.every((input) => takes.includes(input)) && (models?.includes(name) ?? true),
    );
  }

  async run(brief: TaskBrief, io: TaskIo): Promise<void> {
    const { languageModels, models, instructions } = this.#options;
    const sound: ModelInput[] = brief.clip ? ['audio'] : [];
    const needs: ModelInput[] =
      brief.images.length > 0 && this.#takes([...sound, 'image']) ? [...sound, 'image'] : sound;
    const messages: ModelMessage[] = [firstMessage(brief, needs.includes('image'))];
    for (let step = 1; ; step++) {
      const answer = new StepAnswer(io, step === 1);
      const stream = languageModels.stream({
        purpose: 'task',
        system: instructions === undefined ? ROLE : `${ROLE}\n\n${instructions}`,
        messages,
        tools: step < MAX_STEPS ? [...io.tools.tools, askUser] : [],
        toolRules: TOOL_RULES,
        needs,
        webSearch: true,
        models,
        budget: io.budget,
        signal: io.signal,
      });
      for await (const part of stream) {
        if (part.type === 'text') answer.text(part.text);
        else if (part.type === 'tool-call') answer.calls.push(part);
      }
      // What calls tools all the same where it is offered none is over with what it says.
      if (answer.calls.length === 0 || step >= MAX_STEPS) {
        answer.finish(step);
        return;
      }
      answer.break();
      const results = await Promise.all(
        answer.calls.map((call) => answerCall(call, () => this.#call(call, brief, io))),
      );
      io.signal.throwIfAborted();
      messages.push(toCallsMessage(answer.said, answer.calls), { role: 'tool', content: results });
    }
  }

  async #call(call: ChatToolCall, { task, participant, sessionId }: TaskBrief, io: TaskIo): Promise<string> {
    if (call.name === askUser.name) {
      const { question } = call.arguments as { question?: unknown };
      if (typeof question !== 'string' || question === '') throw new MicroturnError('tool/failed', 'no question');
      return io.ask(question.slice(0, 500));
    }
    io.note(call.name);
    const context = { signal: io.signal, sessionId, participant, taskId: task.id, note: io.note, patch: io.patch };
    return io.tools.call(call, context, io.approve);
  }
}

/** What the model says in one step: text that goes out as it comes, and calls of tools. */
class StepAnswer {
  readonly calls: ChatToolCall[] = [];
  readonly #io: TaskIo;
  #text = '';
  /** A hyphen alone means that there is nothing to say; it is held back until more comes. */
  #held: boolean;

  constructor(io: TaskIo, first: boolean) {
    this.#io = io;
    this.#held = first;
  }

  /** All of its text. */
  get said(): string {
    return this.#text;
  }

  text(text: string): void {
    this.#text += text;
    if (!this.#held) this.#io.delta(text);
    else if (!/^\s*-?\s*$/.test(this.#text)) {
      this.#held = false;
      this.#io.delta(this.#text);
    }
  }

  /** Text before a call of a tool is a sentence of its own. */
  break(): void {
    if (!this.#held && this.#text.trim() !== '') this.#io.delta('\n');
  }

  /** @throws {MicroturnError} `llm/malformed` where the model gave no answer at all, `llm/none` where it has called tools until the last step */
  finish(step: number): void {
    if (this.#text.trim() !== '') return;
    // Begun again, it would call all of them again.
    if (step >= MAX_STEPS) {
      throw new MicroturnError('llm/none', `it went on calling tools, and gave no answer in ${MAX_STEPS} requests`);
    }
    throw new MicroturnError('llm/malformed', 'the answer is empty');
  }
}

/** @param sees whether who reads it takes pictures */
function firstMessage(brief: TaskBrief, sees: boolean): ModelMessage {
  const { task, clip, images } = brief;
  const text = [
    conversationText(brief),
    othersText(brief.others),
    questionText(task, clip !== undefined),
    imagesText(brief, sees),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
  const shown = sees ? images : [];
  if (!clip && shown.length === 0) return { role: 'user', content: text };
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...shown.map(({ mediaType, bytes }) => ({ type: 'file' as const, data: bytes, mediaType })),
      ...(clip ? [{ type: 'file' as const, data: encodeWav(clip.pcm, clip.rateHz), mediaType: 'audio/wav' }] : []),
    ],
  };
}

/** What is to be known of pictures that a model does not get to see. */
function imagesText({ task, images }: TaskBrief, sees: boolean): string {
  const unseen = task.images - (sees ? images.length : 0);
  if (unseen === 0) return '';
  const why = images.length > 0 ? 'cannot be shown to you' : 'are lost';
  return `Pictures that came with it, ${unseen}, ${why}. Where they matter, say so.`;
}

/** The newest of the conversation, as far as there is room. */
function conversationText({ conversation, participant, nowMs }: TaskBrief): string {
  const lines: string[] = [];
  let chars = 0;
  for (const { atMs, who, text, unheard } of conversation.toReversed()) {
    const name = who === 'agent' ? 'agent' : who === participant ? 'user' : who;
    const missed = unheard === undefined ? '' : ` (not heard: ${unheard})`;
    const line = `[${(atMs / 1000).toFixed(1)} s] ${name}: ${text}${missed}`;
    chars += line.length;
    if (chars > CONVERSATION_CHARS) break;
    lines.unshift(line);
  }
  if (lines.length === 0) return '';
  const now = (nowMs / 1000).toFixed(1);
  return `The conversation so far, in session seconds, now ${now} s. Of the agent it has what the user heard; <unk> is a word that was not understood.\n${lines.join('\n')}`;
}

function othersText(others: readonly Task[]): string {
  const lines = others.map((task) => {
    const result = isBusy(task) ? 'is being worked on' : task.text.slice(0, OTHER_CHARS);
    return `- ${task.prompt.slice(0, OTHER_CHARS) || task.title}: ${result}`;
  });
  return lines.length === 0 ? '' : `Asked before:\n${lines.join('\n')}`;
}

function questionText({ prompt, amendments }: Task, spoken: boolean): string {
  const question = spoken ? 'The user now asks what is in the recording.' : `The user now asks: ${prompt}`;
  return [question, ...amendments.map((text) => `They add: ${text}`)].join('\n');
}
