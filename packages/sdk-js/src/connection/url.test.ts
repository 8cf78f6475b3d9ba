import { describe, expect, it } from 'vitest';
import { chooseBase, signalingUrl } from './url.js';

describe('signalingUrl', () => {
  it.each([
    ['http://localhost:7880', 'ws://localhost:7880/v1/connect'],
    ['https://edge.example/', 'wss://edge.example/v1/connect'],
    ['wss://edge.example/base/', 'wss://edge.example/base/v1/connect'],
    ['ws://edge.example/base?x=1#y', 'ws://edge.example/base/v1/connect'],
  ])('%s is at %s', (base, url) => {
    expect(signalingUrl(base)).toBe(url);
  });

  it.each(['localhost:7880', '/edge', ''])('refuses %j, and names it', (base) => {
    expect(() => signalingUrl(base)).toThrow(`URL of the edge, got ${JSON.stringify(base)}`);
  });
});

describe('chooseBase', () => {
  it('takes the first that there is, and refuses one that is no URL', () => {
    expect(chooseBase(undefined, 'http://a', 'http://b')).toBe('http://a');
    expect(() => chooseBase('nonsense')).toThrow('the edge could not be reached');
    expect(() => chooseBase(undefined)).toThrow('no `url` was given');
  });
});
