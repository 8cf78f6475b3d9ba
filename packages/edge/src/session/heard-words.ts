import type { SessionEventBody } from '@microturn/protocol';

/** Follows what the listener hears of the agent, for a model that is told of it word by word. */
export class HeardWords {
  /** By response: what was made of it, and how many words of it were passed on. */
  readonly #responses = new Map<string, { text: string; told: number }>();

  /** @returns the words that were heard since; empty where there are none */
  take(event: SessionEventBody): string {
    switch (event.type) {
      case 'response.started':
        // It may be told again, with all of its words, to a page that is back: what was passed on of it was.
        this.#responses.set(event.responseId, { text: '', told: this.#responses.get(event.responseId)?.told ?? 0 });
        return '';
      case 'response.text': {
        const response = this.#responses.get(event.responseId);
        if (response) response.text = `${response.text} ${event.text}`;
        return '';
      }
      case 'response.heard':
        return this.#tell(event.responseId, event.heardText);
      case 'response.interrupted':
        return this.#end(event.responseId, event.heardText);
      case 'response.completed': {
        // To its end, unless its listener had turned the sound off.
        const { text = '' } = this.#responses.get(event.responseId) ?? {};
        return this.#end(event.responseId, event.unheardText === undefined ? text : '');
      }
      default:
        return '';
    }
  }

  #tell(responseId: string, heardText: string): string {
    const response = this.#responses.get(responseId);
    if (!response) return '';
    const heard = heardText.split(/\s+/).filter((word) => word !== '');
    const fresh = heard.slice(response.told);
    response.told = Math.max(response.told, heard.length);
    return fresh.join(' ');
  }

  #end(responseId: string, heardText: string): string {
    const fresh = this.#tell(responseId, heardText);
    this.#responses.delete(responseId);
    return fresh;
  }
}
