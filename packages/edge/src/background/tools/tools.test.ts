import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../telemetry/index.js';
import { calculate, isExpression } from './calculator.js';
import { clockTool, tellTime, zoneOf } from './clock.js';
import { DocumentSearch } from './documents.js';
import { assertAllowed, isPrivateAddress, publicFetch } from './public-fetch.js';
import { htmlToText } from './web.js';

describe('the calculator', () => {
  it.each([
    ['2 * (3 + 4)', '14'],
    ['sqrt(2) ^ 2', '2'],
    ['0.1 + 0.2', '0.3'],
    ['1,000 × 3', '3000'],
    ['17 mod 5', '2'],
    ['5 miles to km', '8.04672 km'],
    ['100 fahrenheit to celsius', '37.7777777778 degC'],
    ['30 kmh * 2 h to km', '60 km'],
    ['2 pounds to kilograms', '0.90718474 kilograms'],
  ])('%s is %s', (expression, value) => expect(calculate(expression)).toBe(value));

  it.each([
    'x = 3',
    'import("fs")',
    'createUnit("a")',
    'evaluate("1")',
    'f(x) = x',
    '[1, 2]',
    'zeros(1e9)',
    '1:1e9',
    '"a"',
    'cos.constructor("x")()',
    'factorial(1e6)',
    '1 / 0',
    '',
    '1'.repeat(300),
  ])('does not work out %s', (expression) => expect(() => calculate(expression)).toThrow());

  it('tells an expression from other text', () => {
    expect(['3 + 4', '5 miles to km', 'sqrt(9)'].every(isExpression)).toBe(true);
    expect(['hello', '42', 'three plus four', 'e'].some(isExpression)).toBe(false);
  });
});

describe('the clock', () => {
  it('knows places by their names', () => {
    expect(zoneOf('Tokyo')).toBe('Asia/Tokyo');
    expect(zoneOf('new york')).toBe('America/New_York');
    expect(zoneOf('San Francisco')).toBe('America/Los_Angeles');
    expect(zoneOf('europe/paris')).toBe('Europe/Paris');
    expect(zoneOf('Atlantis')).toBeUndefined();
  });
  it('tells date and time there', () => {
    expect(tellTime(Date.UTC(2026, 10, 20, 17, 5), 'Asia/Tokyo', 'Tokyo')).toBe(
      'It is 02:05 on Saturday, 21 November 2026 in Tokyo.',
    );
  });
  it('tells those of the edge to a model that names no place, and where that is', async () => {
    const { description, run } = clockTool(() => Date.UTC(2026, 10, 20, 17, 5), 'America/New_York');
    expect(description).toContain('in America/New_York where none is given');
    const answers = await Promise.all([{}, { place: 'Tokyo' }].map((args) => run(args as never, {} as never)));
    expect(answers).toEqual([
      'It is 12:05 on Friday, 20 November 2026 in New York.',
      'It is 02:05 on Saturday, 21 November 2026 in Tokyo.',
    ]);
  });
});

describe('documents', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'microturn-documents-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  it('finds the passage under its heading, whatever the words around the question', async () => {
    const path = await folder();
    await mkdir(join(path, 'guide'));
    await writeFile(
      join(path, 'guide/house.md'),
      '# House\n\nWelcome.\n\n## Wifi\n\nThe password is swordfish.\n\n## Heating\n\nTurn the knob.',
    );
    await writeFile(join(path, 'bins.txt'), 'Bins are emptied on Tuesday.');
    await writeFile(join(path, 'code.js'), 'wifi wifi wifi');
    const documents = await DocumentSearch.open(path, silentLog);
    expect(documents.search('what is the wifi password please')[0]).toMatchObject({
      file: 'guide/house.md',
      heading: 'Wifi',
      text: 'The password is swordfish.',
    });
    expect(documents.search('when are the bins emptied')[0]).toMatchObject({ file: 'bins.txt' });
    expect(documents.search('quantum chromodynamics')).toEqual([]);
  });

  it('stays in its folder, and says where there is none', async () => {
    const path = await folder();
    const outside = await folder();
    await writeFile(join(outside, 'secret.md'), 'the treasure is under the tree');
    await symlink(join(outside, 'secret.md'), join(path, 'link.md'));
    expect((await DocumentSearch.open(path, silentLog)).search('treasure')).toEqual([]);
    await expect(DocumentSearch.open(join(path, 'nowhere'), silentLog)).rejects.toMatchObject({ code: 'edge/config' });
  });
});

describe('reading pages', () => {
  const signal = new AbortController().signal;

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
  ])('%s is private', (address) => expect(isPrivateAddress(address)).toBe(true));
  it.each(['93.184.216.34', '8.8.8.8', '2606:2800:220:1::1'])('%s is public', (address) =>
    expect(isPrivateAddress(address)).toBe(false),
  );

  it.each([
    'http://other.org/',
    'https://docs.example.com.evil.org/',
    'file:///etc/passwd',
    'https://user:pw@docs.example.com/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://2130706433/',
  ])('refuses %s', (url) =>
    expect(() => assertAllowed(new URL(url), ['docs.example.com', '127.0.0.1', '[::1]'])).toThrow(),
  );
  it('takes hosts of the list, and those below one', () => {
    assertAllowed(new URL('https://docs.example.com/a'), ['docs.example.com']);
    assertAllowed(new URL('https://a.example.com/'), ['*.example.com']);
    expect(() => assertAllowed(new URL('https://example.com/'), ['*.example.com'])).toThrow();
  });

  it('does not follow an allowed name to a private address', async () => {
    const server = createServer((_request, response) => response.end('inside'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const lookup = ((_name: string, _options: object, callback: (e: null, a: object[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])) as never;
    await expect(
      publicFetch(`http://rebound.example.com:${port}/`, { allow: ['rebound.example.com'], signal, lookup }),
    ).rejects.toThrow('private address');
  });

  it.each(['<', '<script ', '<script></script', '<br ', '&', '\r', '\n ', ' \n'])(
    'takes no longer than in proportion to a page that is nothing but %j',
    (piece) => {
      const page = `${piece.repeat(Math.floor((512 * 1024) / piece.length))}x`;
      const beganMs = performance.now();
      htmlToText(page);
      expect(performance.now() - beganMs).toBeLessThan(5000);
    },
  );

  it('makes text of a page', () => {
    const html =
      '<html><head><title>x</title></head><body><h1>Hi</h1><script>alert(1)</script><p>A &amp; B<br>C</p></body>';
    expect(htmlToText(html)).toBe('Hi\nA & B\nC');
    // Of what is never closed the text is kept.
    expect(htmlToText('<NAV>x</nav>one<script>f()</script> two<svg>three')).toBe('one two three');
  });
});
