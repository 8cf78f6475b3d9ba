import { expect, it } from 'vitest';
import { EdgeProcess } from '../support/edge-process.js';
import { MediaClient } from '../support/media-client.js';
import { SocketClient } from '../support/socket-client.js';

it('the log has nothing in it of what was said, by whom, or with which token, however much it tells', async () => {
  await using edge = await EdgeProcess.start({ args: ['--log-level', 'debug'] });
  const token = await edge.token({ identity: 'ada-lovelace', room: 'drawing-room' });
  await using caller = await MediaClient.open(edge.webSocketUrl, token);
  const { responseId } = (await caller.signaling.request({
    type: 'say',
    text: 'The marmalade is behind the xylophone.',
  })) as { responseId: string };
  await caller.signaling.until(
    'end',
    (message) => message.type === 'response.completed' && message.responseId === responseId,
    15_000,
  );
  // What cannot be said, read or found, in words of its own.
  await caller.signaling.request({ type: 'say', text: '熱帯魚 zebrafish '.repeat(300) }).catch(() => undefined);
  await caller.signaling.request({ type: 'say', text: 'rutabaga '.repeat(900) }).catch(() => undefined);
  caller.signaling.send('{"type":"say","text":"artichoke');
  caller.signaling.send({ type: 'say', id: 'pomegranate', text: 'pomegranate' });
  await expect(SocketClient.join(edge.webSocketUrl, 'kumquat.kumquat.kumquat')).rejects.toMatchObject({
    code: 'auth/denied',
  });
  await caller.close();
  await edge.stop();

  expect(edge.stderr).toContain('the edge is down');
  const written = (edge.stderr + edge.stdout).toLowerCase();
  const secrets = [
    'marmalade',
    'xylophone',
    '熱帯魚',
    'zebrafish',
    'rutabaga',
    'artichoke',
    'pomegranate',
    'kumquat',
    'lovelace',
    edge.secret,
    token,
    token.split('.')[1]!,
  ];
  expect(secrets.filter((secret) => written.includes(secret.toLowerCase()))).toEqual([]);
});
