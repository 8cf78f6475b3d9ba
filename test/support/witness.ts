import { expect } from 'vitest';
import type { EdgeProcess } from './edge-process.js';
import { MediaClient } from './media-client.js';

/** Stats come once a second; on a busy machine they may be late, but not this late. */
const STILL_MS = 5_000;

/**
 * A participant who minds their own business while others misbehave: a whole call with media both ways. What is tested
 * is that nothing of what the others do reaches it.
 */
export class Witness implements AsyncDisposable {
  readonly #client: MediaClient;

  private constructor(client: MediaClient) {
    this.#client = client;
  }

  static async join(edge: EdgeProcess): Promise<Witness> {
    return new Witness(
      await MediaClient.open(edge.webSocketUrl, await edge.token({ room: 'witness', identity: 'witness' })),
    );
  }

  /** The session's clock goes on, no event is missing, and nothing was complained of. */
  expectUndisturbed(): void {
    const { signaling } = this.#client;
    expect(signaling.closed).toBeUndefined();
    expect(performance.now() - signaling.lastMessageAtMs).toBeLessThan(STILL_MS);
    expect(signaling.events.map(({ seq }) => seq)).toEqual(signaling.events.map((_, i) => i + 1));
    expect(signaling.events.filter(({ type }) => type === 'error')).toEqual([]);
  }

  /** The agent can still be heard by it. */
  async expectToHear(text: string): Promise<void> {
    const { signaling } = this.#client;
    const heardBefore = this.#client.heardMs;
    const { responseId } = (await signaling.request({ type: 'say', text })) as { responseId: string };
    await signaling.until(
      'completed',
      (message) => message.type === 'response.completed' && message.responseId === responseId,
      20_000,
    );
    expect(this.#client.heardMs - heardBefore).toBeGreaterThan(200);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
