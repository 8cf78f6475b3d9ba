import { MicroturnError } from '@microturn/protocol';
import type { Decision } from '../engine/index.js';
import type { EndpointStats } from '../media/index.js';
import type { StoredSession } from '../store/index.js';
import type { AgentSpeech } from './agent-speech.js';
import type { SessionBackground, SpentTokens } from './background.js';
import { addCounts, type ServiceCounts } from './service-counts.js';
import type { SessionEvents } from './session-events.js';
import type { SessionRow } from './session-parts.js';
import { TurnCounts, addSpent } from './turn-counts.js';

/** Stats go to the client once a second. */
const STATS_EVERY_TURNS = 5;
const USAGE_EVERY_TURNS = 300;

/** What a process that is gone had counted. */
type Before = Pick<StoredSession, 'turns' | 'late' | 'spent'>;

export interface SessionAccountParts {
  readonly microTurnMs: number;
  readonly events: SessionEvents;
  /** These count what they use themselves. */
  readonly lease: Pick<SessionRow, 'spent' | 'transcribed'>;
  readonly speech: Pick<AgentSpeech, 'spoken'>;
  readonly background: Pick<SessionBackground, 'spent'> | undefined;
}

/** Counts what one session has had and used, also in a process before, and tells the client of it from time to time. */
export class SessionAccount {
  readonly #parts: SessionAccountParts;
  readonly #counts: TurnCounts;
  readonly #spentBefore: StoredSession['spent'];
  #endpoint: EndpointStats | undefined;

  constructor(parts: SessionAccountParts, before?: Before) {
    this.#parts = parts;
    this.#counts = new TurnCounts(parts.microTurnMs, before);
    // The background goes on from what it had by itself.
    this.#spentBefore = before?.spent;
  }

  /** Micro-turns that its engine thread decided late, one after the other, up to now. */
  get engineLateInARow(): number {
    return this.#counts.engineLateInARow;
  }

  /** The newest view of the endpoint from the media thread. */
  noteEndpoint(stats: EndpointStats): void {
    this.#endpoint = stats;
  }

  /**
   * One more micro-turn was decided. The client is told at once where many are late.
   * @param lagMs from its end to its decision here
   */
  noteTurn({ lagMs: engineLagMs }: Decision, lagMs: number, nowMs: number): void {
    if (!this.#counts.note(lagMs, engineLagMs, nowMs)) return;
    const late = new MicroturnError('engine/late', `${this.#counts.lateInARow} micro-turns in a row`);
    this.#parts.events.report(late);
  }

  /** Once the micro-turn was acted upon: stats and usage, each when it is time for them. */
  tellTurn({ stepMs }: Decision, lagMs: number): void {
    const { turns } = this.#counts;
    if (turns % STATS_EVERY_TURNS === 0) this.#tellStats(stepMs, lagMs);
    if (turns % USAGE_EVERY_TURNS === 0) this.tellUsage();
  }

  tellUsage(): void {
    const spent = addSpent(this.#spentSpeaking, this.#parts.background?.spent);
    this.#parts.events.emit(this.#counts.usage(spent, this.#services));
  }

  toStored(): Before {
    const { turns, late } = this.#counts;
    const background = this.#parts.background?.spent;
    return { turns, late, spent: { speaking: this.#spentSpeaking, background, services: this.#services } };
  }

  #tellStats(stepMs: number, turnLagMs: number): void {
    const stats = this.#endpoint;
    const seen = stats ? stats.packets + stats.lost : 0;
    this.#parts.events.emit({
      type: 'stats',
      ...(stats?.rttMs !== undefined && { rttMs: stats.rttMs }),
      loss: stats && seen > 0 ? stats.lost / seen : 0,
      jitterMs: stats?.jitterMs ?? 0,
      turnLagMs,
      stepMs,
    });
  }

  /** By the language model that speaks here. */
  get #spentSpeaking(): SpentTokens | undefined {
    return addSpent(this.#spentBefore?.speaking, this.#parts.lease.spent);
  }

  /** Of its transcriber and its voice. */
  get #services(): ServiceCounts {
    const { transcribed } = this.#parts.lease;
    return addCounts(this.#spentBefore?.services, {
      ...(transcribed && { transcriber: transcribed }),
      voice: this.#parts.speech.spoken,
    });
  }
}
