/** `0:07`, `12:30`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `0:07.4`: a micro-turn's place, to the tenth. */
export function formatTurnTime(ms: number): string {
  return `${formatClock(ms)}.${Math.floor((Math.max(0, ms) % 1000) / 100)}`;
}

/** `3.2 s`. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `0.8 ms`, `12 ms`: no more digits than mean something. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export function formatShare(share: number | undefined): string {
  if (share === undefined) return '–';
  const percent = share * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** `one` -> `One`: error texts come as clauses. */
export function toSentence(text: string): string {
  const end = /[.!?…]$/.test(text) ? '' : '.';
  return text === '' ? '' : text[0]?.toUpperCase() + text.slice(1) + end;
}
