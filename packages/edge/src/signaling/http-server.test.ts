import { connect, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { EdgeMetrics } from '../telemetry/metrics.js';
import { createHttpServer, type HttpServerParts } from './http-server.js';

it('fault 47, /metrics that is asked for many times in one packet is made once, for all of them', async () => {
  const metrics = new EdgeMetrics();
  let made = 0;
  let refreshed = () => {};
  const http = await createHttpServer({
    metrics,
    maxConnections: Infinity,
    recipes: [],
    allowedOrigins: [],
    trustedProxies: false,
    refreshMetrics: () => {
      made++;
      return new Promise<void>((resolve) => (refreshed = resolve));
    },
  } as unknown as HttpServerParts);
  try {
    await http.listen({ host: '127.0.0.1', port: 0 });
    const asked = 500;
    const socket = connect((http.server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    const answers = () => text.split('HTTP/1.1 200').length - 1;
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(asked));
    await expect.poll(() => made).toBeGreaterThan(0);
    // All of them have come by then.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(made).toBe(1);
    refreshed();
    await expect.poll(answers, { timeout: 10_000 }).toBe(asked);
    expect(text).toContain('microturn_sessions 0');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => made).toBe(2);
    refreshed();
    await expect.poll(answers).toBe(asked + 1);
    socket.destroy();
  } finally {
    await http.close();
    metrics.close();
  }
});
