import { generate } from 'selfsigned';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { once } from 'node:events';
import { createServer as createTcp, type AddressInfo, type Server as TcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../config.js';
import { checkHttpPort, checkMediaPort } from './check-ports.js';

async function listen(server: TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const answering = (server: Server, path: string) =>
  server.on('request', ({ url }, response) => {
    response.statusCode = url === path ? 200 : 404;
    response.end(url === path ? '{"recipes":["nano"]}' : '{"error":{}}');
  });
const config = (port: number, mediaPort: number) => parseConfig({ port, media: { port: mediaPort } });

describe('the doctor’s look at ports', () => {
  it('finds that they are free', async () => {
    const free = config(0, 0);
    expect(await checkHttpPort(free)).toMatchObject({ status: 'ok' });
    expect(await checkMediaPort(free)).toMatchObject({ status: 'ok' });
  });

  it('takes an edge that runs already for what it is', async () => {
    const port = await listen(answering(createHttp(), '/v1/recipes'));
    const mediaPort = await listen(createTcp());
    for (const check of [checkHttpPort, checkMediaPort]) {
      expect(await check(config(port, mediaPort))).toMatchObject({
        status: 'warn',
        detail: expect.stringContaining(`an edge seems to be running, at http://127.0.0.1:${port}`),
      });
    }
  });

  it('knows it over HTTPS, with a certificate of its own', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'edge' }], { keyType: 'ec' });
    const port = await listen(answering(createHttps({ cert, key }), '/v1/recipes'));
    expect(await checkHttpPort(config(port, 0))).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining(`https://127.0.0.1:${port}`),
    });
  });

  it('fails where another program has one', async () => {
    const port = await listen(answering(createHttp(), '/'));
    const mediaPort = await listen(createTcp());
    const fix = expect.stringContaining('flags here as well');
    expect(await checkHttpPort(config(port, 0))).toMatchObject({ status: 'fail', fix });
    expect(await checkMediaPort(config(port, mediaPort))).toMatchObject({ status: 'fail', fix });
  });
});
