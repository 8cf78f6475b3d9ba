import { describe, expect, it } from 'vitest';
import { parseConfig, type EdgeConfigInput } from '../config.js';
import { greeting } from './greeting.js';

const say = (input: EdgeConfigInput, { url = 'http://127.0.0.1:7880', mediaAddress = '127.0.0.1' } = {}) =>
  greeting({ config: parseConfig(input), url, mediaPort: 7881, mediaAddress }, '192.168.1.20');

describe('what start prints', () => {
  it('of an edge for this machine is its address and its port', () => {
    expect(say({ demo: 'dist', dev: true })).toBe(`
  Microturn is up.
    open     http://127.0.0.1:7880
    media    UDP and TCP port 7881
    tokens   for anybody, at /dev/token: --dev is for your own machine
    Ctrl+C stops it
`);
  });

  it('of one for the network says where, and what a browser will warn about', () => {
    expect(
      say(
        { demo: 'dist', dev: true, https: { enabled: true } },
        { url: 'https://localhost:7880', mediaAddress: '192.168.1.20' },
      ),
    ).toBe(`
  Microturn is up.
    open     https://localhost:7880
    network  https://192.168.1.20:7880
             a browser warns once, since nobody vouches for the certificate: choose Advanced, then go on
    media    UDP and TCP port 7881 at 192.168.1.20
    tokens   for anybody on the network, at /dev/token: --dev is for your own machine
    Ctrl+C stops it
`);
  });

  it('says of a recipe that ships that nobody has checked it live, and nothing of one of your own', () => {
    expect(say({ recipe: 'ollama' })).toContain('recipe   ollama, which nobody has checked live');
    const own = { recipe: 'mine', recipes: { mine: { llm: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } } } };
    expect(say(own)).not.toContain('checked live');
  });

  it('does not warn of a certificate that was given', () => {
    const given = { https: { cert: 'a.pem', key: 'b.pem' } };
    expect(say(given, { url: 'https://localhost:7880' })).not.toContain('warns');
  });
});
