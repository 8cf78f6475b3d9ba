/** How the page is used: with a microphone, to listen only, or to watch the recorded example. The address says which. */
export type Mode = 'live' | 'listen' | 'example';

export function modeOf(search: string): Mode {
  const query = new URLSearchParams(search);
  if (query.has('scripted')) return 'example';
  return query.has('listen') ? 'listen' : 'live';
}

/** Links between the modes are plain links: each starts from a clean page, in the room and with the name of this one. */
export function hrefOf(mode: Mode, search = location.search): string {
  const query = new URLSearchParams(search);
  query.delete('listen');
  query.delete('scripted');
  if (mode === 'listen') query.set('listen', '');
  if (mode === 'example') query.set('scripted', '');
  return `./?${query}`;
}
