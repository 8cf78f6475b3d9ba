import type { Floor, SessionEventOf } from '@microturn/protocol';
import { tellOffer } from '../offer.js';
import type { Mark } from '../engine/types.js';
import { failurePhrase, phrases } from './phrases.js';
import { Sentences, type SentencesParts } from './sentences.js';
import { letters, type SpeechPiece } from './speech-pieces.js';
import { isBusy, isOver, type Task } from './task-reducer.js';

/** When the agent says what a task has found. */
export interface RelayRule {
  /** `act`: at the word of the model, `relay`. What it leaves unsaid is said by the floor all the same, so that nothing vanishes. */
  readonly by: 'act' | 'floor';
  readonly floors: readonly Floor[];
  /** For so long the floor has been one of these; by `act`, while something waited for the model's word. */
  readonly quietMs: number;
}

/** What the session does for it. */
export interface RelayHost {
  nextResponseId(): string;
  /** Begins a response of kind `relay`, or says more of it. It may be refused, and have ended, before this returns. */
  say(responseId: string, taskId: string, text: string): void;
  /** Nothing follows. */
  end(responseId: string): void;
  /** Silences it: its task is not wanted any more, or the model has words of its own. */
  drop(responseId: string): void;
  /** Tells the model that something waits to be said, or does not any more. */
  mark(mark: Mark): void;
}

/** One micro-turn, as it matters here. */
export interface RelayMoment {
  readonly atMs: number;
  readonly floor: Floor;
  /** The model decided to relay. */
  readonly relays: boolean;
  /** The model decided that what waits, or is being said, can be read instead. */
  readonly shows: boolean;
  /** The model has words of its own. */
  readonly speaks: boolean;
  /** Somebody else's response is live, such as the model's own or the app's. */
  readonly taken: boolean;
  /** Of the relay that is being said, what is still to be heard, as far as its sound is made. */
  readonly aheadMs: number;
  /** When its first packet left, session ms. */
  readonly soundsFromMs: number | undefined;
  /** The participant is there to hear it. */
  readonly present: boolean;
}

/** The question of a task, as the participant heard it. */
export interface AskedAloud {
  readonly questionId: string;
  /** Since when it sounds, session ms: what was begun before is no answer to it. */
  readonly fromMs: number;
}

export interface WeaverParts {
  readonly rule: RelayRule;
  readonly microTurnMs: number;
  readonly host: RelayHost;
  /** So many characters of the result need no saying any more. */
  readonly onSaid: (task: Task, chars: number, responseId: string | undefined) => void;
  readonly moderate?: SentencesParts['moderate'];
  /** A task that takes longer has the agent say so. */
  readonly progressMs: number;
}

/** A sentence that is ready by so long before the end of the one before follows in the same breath. */
const NEXT_MS = 500;
const PROGRESS_AGAIN_MS = 15_000;
/** A result that was talked over is taken up again so often. */
const RESUMES = 2;
/** What was begun so often without a word of it heard cannot be said: its voice fails, or something else always comes first. */
const VAIN = 8;

interface Story {
  readonly id: string;
  readonly revision: number;
  /** Of its result. */
  readonly sentences: Sentences;
  resumes: number;
  vain: number;
  progress: number;
  progressAtMs: number;
  questionSaid: string | undefined;
  failureSaid: boolean;
}

interface Relay {
  readonly responseId: string;
  readonly story: Story;
  /** Sentences of the result in it; none of a question, a progress word or an apology. */
  readonly pieces: SpeechPiece[];
  /** The question that it is. */
  readonly questionId: string | undefined;
  /** It waits to be said as before. */
  readonly unsay: () => void;
  ended: boolean;
}

/**
 * Says what tasks have found, one response at a time, when the floor is free. Talked over, it stops, and takes the
 * sentence up again once the floor is free; of what is not wanted any more it says nothing.
 */
export class Weaver {
  readonly #parts: WeaverParts;
  readonly #stories = new Map<string, Story>();
  #tasks: readonly Task[] = [];
  #live: Relay | undefined;
  #asked: AskedAloud | undefined;
  #quietMs = 0;
  /** When the model was told last that something waits. */
  #offeredAtMs: number | undefined;

  constructor(parts: WeaverParts) {
    this.#parts = parts;
  }

  /** The response that is being said. */
  get liveId(): string | undefined {
    return this.#live?.responseId;
  }

  /** The task whose result is being said, or was talked over last. */
  get liveTaskId(): string | undefined {
    return this.#live?.story.id;
  }

  /** The question that was said last; undefined where nothing of it was heard, or it is said again. */
  get asked(): AskedAloud | undefined {
    return this.#asked;
  }

  /** Something of its result is being said, or was. */
  hasBegun(taskId: string): boolean {
    return (this.#stories.get(taskId)?.sentences.spokenChars ?? 0) > 0;
  }

  /** Tasks have changed: what is said of one that is over by now is silenced at once. */
  onTasks(tasks: readonly Task[]): void {
    this.#tasks = tasks;
    for (const [id, story] of this.#stories) {
      const task = this.#find(story);
      if (!task || task.status === 'cancelled' || task.status === 'stale') {
        if (this.#live?.story === story) this.#drop();
        this.#stories.delete(id);
      }
    }
    for (const task of tasks) if (!isOver(task) || task.status === 'failed') this.#prepare(task);
  }

  /** Called once in every micro-turn, after its decision. */
  onMoment(moment: RelayMoment): void {
    const { rule, microTurnMs } = this.#parts;
    const { questionId } = this.#live ?? {};
    if (questionId !== undefined && moment.soundsFromMs !== undefined) {
      this.#asked = { questionId, fromMs: moment.soundsFromMs };
    }
    if (moment.shows) this.#leaveToRead();
    const next = this.#live ? undefined : this.#next(moment.atMs);
    this.#offer(moment, next !== undefined);
    if (this.#live) {
      // The model's own words come first; the sentence is said again after them.
      if (moment.speaks) this.#drop();
      else this.#goOn(this.#live, moment.aheadMs);
      this.#quietMs = 0;
      return;
    }
    const open = !moment.taken && !moment.speaks && moment.present;
    const waits = next !== undefined || rule.by === 'floor';
    this.#quietMs = open && waits && rule.floors.includes(moment.floor) ? this.#quietMs + microTurnMs : 0;
    if (this.#quietMs >= rule.quietMs || (open && rule.by === 'act' && moment.relays)) next?.();
  }

  /** A relay was heard to its end, or was cut. */
  onResponse(event: SessionEventOf<'response.completed'> | SessionEventOf<'response.interrupted'>): void {
    const live = this.#live;
    if (live?.responseId !== event.responseId) return;
    this.#live = undefined;
    const { story, pieces, responseId, questionId } = live;
    const task = this.#find(story);
    const last = pieces.at(-1);
    const unheard =
      event.type === 'response.completed'
        ? event.unheardText !== undefined && event.heardMs === 0
        : event.heardText === '' || event.by === 'agent';
    if (unheard) {
      if (this.#asked?.questionId === questionId) this.#asked = undefined;
    }
    if (!task) return;
    if (event.type === 'response.completed') {
      if (last) this.#parts.onSaid(task, last.toChar, responseId);
      return;
    }
    const vain = event.heardText === '';
    story.vain = vain ? story.vain + 1 : 0;
    // Who stopped a question or an apology half way knows what it is about.
    if (!last && !vain && event.by !== 'agent') return;
    const enough = event.by === 'client' || story.vain >= VAIN || (event.by === 'user' && ++story.resumes > RESUMES);
    if (!last) {
      if (!enough) live.unsay();
    } else if (enough) {
      // Who stops the agent by hand, or again and again, has had enough of this: it can still be read.
      this.#silence(story, task, responseId);
    } else this.#resumeAfter(live, task, event.heardText);
  }

  #resumeAfter({ story, pieces, responseId }: Relay, task: Task, heardText: string): void {
    let heard = letters(heardText).length;
    const unheard = pieces.filter(({ spoken }) => {
      heard -= letters(spoken).length;
      return heard < 0;
    });
    const last = pieces.slice(0, pieces.length - unheard.length).at(-1);
    story.sentences.putBack(unheard);
    if (last) this.#parts.onSaid(task, last.toChar, responseId);
  }

  #goOn(live: Relay, aheadMs: number): void {
    if (live.ended) return;
    const { host } = this.#parts;
    const next = live.story.sentences.take();
    const task = this.#find(live.story);
    if (next && task) {
      live.pieces.push(next);
      host.say(live.responseId, live.story.id, next.spoken);
      this.#prepare(task);
    } else if (!task || task.status !== 'streaming' || aheadMs < NEXT_MS) {
      // Nobody is kept waiting for a sentence that is still being written: it begins a response of its own.
      live.ended = true;
      host.end(live.responseId);
    }
  }

  #offer({ atMs, present, taken, speaks }: RelayMoment, waits: boolean): void {
    const waiting = taken || speaks ? 'held' : 'waits';
    const state = this.#live || !present ? 'taken' : waits ? waiting : 'void';
    const { toldAtMs, tell } = tellOffer(this.#offeredAtMs, state, atMs);
    this.#offeredAtMs = toldAtMs;
    if (tell) this.#parts.host.mark(tell === 'offered' ? 'result' : tell);
  }

  /** Nothing more of it is said. */
  #silence(story: Story, task: Task, responseId?: string): void {
    story.sentences.silence();
    this.#parts.onSaid(task, Infinity, responseId);
  }

  #leaveToRead(): void {
    for (const task of this.#tasks) {
      const story = this.#stories.get(task.id);
      const live = story !== undefined && this.#live?.story === story;
      if (!story || (!story.sentences.first && !live)) continue;
      if (live) this.#drop();
      this.#silence(story, task);
    }
  }

  /** Begins to say the most pressing of what there is to say; undefined where there is nothing. */
  #next(atMs: number): (() => void) | undefined {
    const stories = this.#tasks.flatMap((task) => {
      const story = this.#stories.get(task.id);
      return story ? [{ task, story }] : [];
    });
    for (const { task, story } of stories) {
      const { question } = task;
      if (!question || story.questionSaid === question.id) continue;
      return () => {
        story.questionSaid = question.id;
        this.#begin(story, question.text, {
          questionId: question.id,
          unsay: () => (story.questionSaid = undefined),
        });
      };
    }
    for (const { task, story } of stories) {
      const { first } = story.sentences;
      if (!first) continue;
      return () => {
        story.sentences.take();
        this.#begin(story, first.spoken, { pieces: [first] });
        this.#prepare(task);
      };
    }
    for (const { task, story } of stories) {
      // Who called a tool for an answer tells of its failure there; one without a reason was told of in another process.
      if (task.status !== 'failed' || !task.failure || task.origin === 'answer' || story.failureSaid) continue;
      return () => {
        story.failureSaid = true;
        this.#begin(story, failurePhrase(task), { unsay: () => (story.failureSaid = false) });
      };
    }
    for (const { task, story } of stories) {
      const phrase = phrases.progress[story.progress];
      const dueMs = Math.max(task.sinceMs + this.#parts.progressMs, story.progressAtMs + PROGRESS_AGAIN_MS);
      if (
        !(isBusy(task) || task.again) ||
        task.status === 'asking' ||
        task.text !== '' ||
        phrase === undefined ||
        atMs < dueMs
      )
        continue;
      return () => {
        story.progress++;
        story.progressAtMs = atMs;
        // That it takes long is told in its time, or not at all.
        this.#begin(story, phrase, {});
      };
    }
    return undefined;
  }

  #begin(
    story: Story,
    text: string,
    { pieces = [], questionId, unsay = () => {} }: { pieces?: SpeechPiece[]; questionId?: string; unsay?: () => void },
  ): void {
    const { host } = this.#parts;
    const responseId = host.nextResponseId();
    this.#live = { responseId, story, pieces, questionId, unsay, ended: false };
    this.#quietMs = 0;
    host.say(responseId, story.id, text);
  }

  #drop(): void {
    if (this.#live) this.#parts.host.drop(this.#live.responseId);
  }

  #prepare(task: Task): void {
    this.#storyOf(task).sentences.prepare(task);
  }

  #storyOf({ id, revision, saidChars, again }: Task): Story {
    const known = this.#stories.get(id);
    if (known?.revision === revision) return known;
    // Of an earlier revision nothing more is said.
    if (known && this.#live?.story === known) this.#drop();
    const story: Story = {
      id,
      revision,
      sentences: new Sentences(saidChars, {
        moderate: this.#parts.moderate,
        current: () => (this.#stories.get(id) === story ? this.#find(story) : undefined),
        onSkipped: (task, piece) => {
          // Behind what is being said it is over when that is; it is no words of its own, to be said again after a cut.
          const pieces = this.#live?.story === story ? this.#live.pieces : [];
          const last = pieces.at(-1);
          if (last) pieces[pieces.length - 1] = { ...last, toChar: piece.toChar };
          else this.#parts.onSaid(task, piece.toChar, undefined);
        },
      }),
      resumes: 0,
      vain: 0,
      // One that is tried again was told of already.
      progress: (again && known?.progress) ?? 0,
      progressAtMs: (again && known?.progressAtMs) ?? -Infinity,
      questionSaid: undefined,
      failureSaid: false,
    };
    this.#stories.set(id, story);
    return story;
  }

  #find({ id, revision }: Story): Task | undefined {
    return this.#tasks.find((task) => task.id === id && task.revision === revision);
  }
}
