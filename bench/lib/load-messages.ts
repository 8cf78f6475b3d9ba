/** What the load process is asked for, and answers. */
export type LoadRequest =
  | { readonly do: 'join'; readonly url: string; readonly tokens: readonly string[] }
  /** Each caller's agent says something, distinct every time. */
  | { readonly do: 'say' }
  /** Each caller asks the background so many things, by these words and a number. */
  | { readonly do: 'ask'; readonly tasks: number; readonly words: string }
  /** Each caller calls off all that it asked. */
  | { readonly do: 'cancel' }
  /** What came since the last time. */
  | { readonly do: 'collect' }
  | { readonly do: 'leave' };

export interface LoadReport {
  /** One per session and second, from the edge's `stats` events. */
  readonly lags: readonly TurnLag[];
  /** Loudest that was received, over all callers: 0 where the agent was not heard. */
  readonly heardPeak: number;
}

/** How late one micro-turn was decided, ms after its end. */
export interface TurnLag {
  /** Until main told the client: by the event's place on the session clock. */
  readonly mainMs: number;
  /** Until the engine thread had decided. */
  readonly engineMs: number;
  readonly stepMs: number;
}
