import type { SessionEvent } from '@microturn/protocol';

/** One entry of the conversation as it happened. */
export interface ConversationEntry {
  /** Session ms. */
  readonly atMs: number;
  /** The participant's identity, or `agent`. */
  readonly who: string;
  /** What was said; of the agent, what was heard. */
  readonly text: string;
  /** What the agent went on to say, and nobody heard. */
  readonly unheard?: string;
}

/** Entries that are kept: a long talk. Policy: dropOldest. */
const KEPT = 200;
/** Words that are further apart are two utterances. */
const PAUSE_MS = 2000;

interface Open {
  readonly id: string;
  readonly atMs: number;
  /** What was made of it. */
  said: string;
  heard: string;
}

/** The conversation with its times, and of the agent what its listener heard: what a task is told. */
export class ConversationLog {
  #entries: ConversationEntry[] = [];
  #open: Open[] = [];
  #lastWordMs = -Infinity;

  get entries(): readonly ConversationEntry[] {
    // Until it is heard, it was not said.
    const open = this.#open
      .filter(({ heard }) => heard !== '')
      .map(({ atMs, heard }) => ({ atMs, who: 'agent', text: heard }));
    return [...this.#entries, ...open].sort((a, b) => a.atMs - b.atMs);
  }

  /** Something that is no event: a spoken question once its words are known. */
  note(entry: ConversationEntry): void {
    this.#push(entry);
  }

  take(event: SessionEvent): void {
    switch (event.type) {
      case 'transcript.word':
        this.#word(event.participant, event.text, event.endMs);
        return;
      case 'transcript.typed':
        // What is said next is another entry.
        this.#lastWordMs = -Infinity;
        this.#push({ atMs: event.at, who: event.participant, text: event.text });
        return;
      case 'response.started':
        this.#begin(event.responseId, event.at);
        return;
      case 'response.text':
        this.#change(event.responseId, (open) => (open.said = `${open.said} ${event.text}`.trim()));
        return;
      case 'response.heard':
        this.#change(event.responseId, (open) => (open.heard = event.heardText));
        return;
      case 'response.completed':
        // Heard to its end, also by a listener who does not report; where events are gone, what was heard is what is known.
        this.#close(event.responseId, ({ said, heard }) => {
          const { unheardText = '' } = event;
          return { text: said === '' || unheardText !== '' ? heard : said, unheard: unheardText };
        });
        return;
      case 'response.interrupted':
        this.#close(event.responseId, () => ({ text: event.heardText, unheard: event.unheardText }));
        return;
      default:
    }
  }

  #word(who: string, text: string, atMs: number): void {
    const last = this.#entries.at(-1);
    const goesOn = last?.who === who && atMs - this.#lastWordMs < PAUSE_MS;
    this.#lastWordMs = atMs;
    if (goesOn && last) this.#entries[this.#entries.length - 1] = { ...last, text: `${last.text} ${text}` };
    else this.#push({ atMs, who, text });
  }

  #begin(id: string, atMs: number): void {
    const known = this.#open.find((one) => one.id === id);
    // Told again to a page that is back: all of its words follow once more.
    if (known) known.said = '';
    else this.#open.push({ id, atMs, said: '', heard: '' });
  }

  #change(id: string, change: (open: Open) => void): void {
    for (const open of this.#open) if (open.id === id) change(open);
  }

  #close(id: string, endOf: (open: Open) => { text: string; unheard: string }): void {
    const open = this.#open.find((one) => one.id === id);
    if (!open) return;
    this.#open = this.#open.filter((one) => one !== open);
    const { text, unheard } = endOf(open);
    if (text === '' && unheard === '') return;
    this.#push({ atMs: open.atMs, who: 'agent', text, ...(unheard !== '' && { unheard }) });
  }

  #push(entry: ConversationEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
  }
}
