import { inUrl, isLoopback, isWildcard } from '../addresses.js';
import type { Edge } from '../edge.js';
import { builtInRecipes } from '../recipes/index.js';

/**
 * What `microturn start` prints: where the edge is reached, and what to expect there.
 * @param outside the address by which others reach this machine
 */
export function greeting(edge: Pick<Edge, 'config' | 'url' | 'mediaPort' | 'mediaAddress'>, outside?: string): string {
  const { host, https, dev, demo, recipe } = edge.config;
  const lines: [name: string, text: string][] = [[demo === undefined ? 'address' : 'open', edge.url]];
  if (isWildcard(host) && outside !== undefined)
    lines.push(['network', edge.url.replace('//localhost', `//${inUrl(outside)}`)]);
  if (https.enabled && https.cert === undefined)
    lines.push(['', 'a browser warns once, since nobody vouches for the certificate: choose Advanced, then go on']);
  const at = isLoopback(edge.mediaAddress) ? '' : ` at ${edge.mediaAddress}`;
  lines.push(['media', `UDP and TCP port ${edge.mediaPort}${at}`]);
  if (recipe !== undefined && Object.hasOwn(builtInRecipes, recipe))
    lines.push(['recipe', `${recipe}, which nobody has checked live: microturn doctor --recipe ${recipe} does`]);
  if (dev) {
    const who = isLoopback(host) ? 'anybody' : 'anybody on the network';
    lines.push(['tokens', `for ${who}, at /dev/token: --dev is for your own machine`]);
  }
  const rows = lines.map(([name, text]) => `    ${name.padEnd(9)}${text}\n`).join('');
  return `\n  Microturn is up.\n${rows}    Ctrl+C stops it\n`;
}
