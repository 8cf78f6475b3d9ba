import type { SessionEvent } from '@microturn/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { EdgeProcess } from '../test/support/edge-process.js';
import { SocketClient, type Resume } from '../test/support/socket-client.js';
import { TemporaryFolder } from '../test/support/temporary-folder.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { median, round, spread } from './lib/stats.js';

const AWAY_S = [1, 5, 15, 60] as const;
const BUDGET_MS = 1_500;
const ENDS = [
  { how: 'killed', budgetMs: 5_000, end: (edge: EdgeProcess) => edge.kill() },
  // As by a supervisor that puts another version in its place.
  { how: 'told to end', budgetMs: 2_000, end: (edge: EdgeProcess) => edge.stop() },
] as const;
/** Who are away at once, and how often: twenty at once are more than some machines keep time with. */
const CLIENTS = 10;
const ROUNDS = 2;
/** How soon a client tries again: what is left of the time is the edge's. */
const RETRY_MS = 50;

interface Trial {
  /** From the opening of a socket to `session.started` or `session.resumed`. */
  readonly ms: number;
  readonly missed: number;
}

/**
 * What: from the opening of a socket to `session.resumed`, after a client was away for 1, 5, 15 and 60 s; and from a SIGKILL or a
 * SIGTERM of the edge to `session.resumed` in the process that follows, which is started when it has ended, on the same ports and
 * the same disk.
 * How: a real edge and the wire protocol; fresh media transports are made for every join, and not connected. Away is a socket
 * that ends without a word. All who are away at once come back one by one.
 * Against: a cold join on the same edge, one before each resume; for the edge that ended the time until the next says that it is up.
 */
export const resume: Benchmark = {
  name: 'resume',
  about: 'back to a session after 1, 5, 15 and 60 s, and after the edge was killed, or told to end',
  async run({ quick, note }) {
    const clients = quick ? 3 : CLIENTS;
    const figures: Figure[] = [];
    await using edge = await EdgeProcess.start({ args: ['--rows', '64'] });
    await coldJoin(edge, 'warm-up');
    for (const awayS of quick ? AWAY_S.slice(0, 2) : AWAY_S) {
      note(`${clients} clients away for ${awayS} s`);
      const cold: number[] = [];
      const back: Trial[] = [];
      for (let done = 0; done < (quick ? 1 : ROUNDS); done++) {
        const trials = await comeBackAfter(edge, awayS, clients);
        cold.push(...trials.cold);
        back.push(...trials.back);
      }
      figures.push({
        name: `resume after ${awayS} s p50`,
        value: round(median(back.map(({ ms }) => ms)), 1),
        unit: 'ms',
        baseline: { name: 'a cold join on the same edge, p50', value: round(median(cold), 1) },
        budget: BUDGET_MS,
        conditions: {
          n: back.length,
          backMs: spread(back.map(({ ms }) => ms)),
          coldMs: spread(cold),
          eventsMissed: median(back.map(({ missed }) => missed)),
        },
      });
    }
    for (const one of ENDS) figures.push(await afterEnds(one, quick ? 1 : 10, note));
    return figures;
  },
};

async function comeBackAfter(
  edge: EdgeProcess,
  awayS: number,
  clients: number,
): Promise<{ cold: number[]; back: Trial[] }> {
  const away = await Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      const identity = `away-${awayS}-${i}`;
      const client = await SocketClient.join(edge.webSocketUrl, await edge.token({ identity, room: identity }));
      await until(client, 'session.started');
      client.drop();
      return { identity, resume: { resumeToken: client.joined.resumeToken, lastSeq: client.lastSeq } };
    }),
  );
  await sleep(awayS * 1000);
  const cold: number[] = [];
  const back: Trial[] = [];
  for (const { identity, resume } of away) {
    cold.push(await coldJoin(edge, `cold-${identity}`));
    const { client, ...trial } = await join(edge, identity, resume);
    back.push(trial);
    client.leave();
  }
  return { cold, back };
}

/** A client that tries until it is let in, and an edge that ends and is started again. */
async function afterEnds(
  { how, budgetMs, end }: (typeof ENDS)[number],
  times: number,
  note: (text: string) => void,
): Promise<Figure> {
  await using folder = await TemporaryFolder.create();
  const args = ['--store', 'disk', '--data', folder.path];
  const [resumed, up]: [number[], number[]] = [[], []];
  let edge = await EdgeProcess.start({ args });
  const { client: first, resumeToken } = await session(edge);
  let client = first;
  try {
    for (let time = 1; time <= times; time++) {
      note(`${how}, ${time} of ${times}`);
      await sleep(1000); // some events, and their saves
      const resume: Resume = { resumeToken, lastSeq: client.lastSeq };
      const endedAt = performance.now();
      await end(edge);
      edge = await EdgeProcess.start({ args, after: edge });
      up.push(performance.now() - endedAt);
      ({ client } = await retried(() => join(edge, 'ended', resume)));
      resumed.push(performance.now() - endedAt);
    }
  } finally {
    await edge.stop();
  }
  return {
    name: `resume after the edge was ${how} p50`,
    value: round(median(resumed), 0),
    unit: 'ms',
    baseline: { name: 'the edge being up again, p50', value: round(median(up), 0) },
    budget: budgetMs,
    conditions: { n: times, resumedMs: spread(resumed) },
  };
}

async function session(edge: EdgeProcess): Promise<{ client: SocketClient; resumeToken: string }> {
  const { client } = await join(edge, 'ended');
  return { client, resumeToken: client.joined.resumeToken };
}

async function coldJoin(edge: EdgeProcess, identity: string): Promise<number> {
  const { client, ms } = await join(edge, identity);
  client.leave();
  await client.untilClosed();
  return ms;
}

async function join(edge: EdgeProcess, identity: string, resume?: Resume) {
  const token = await edge.token({ identity, room: identity });
  const startMs = performance.now();
  const opened = await SocketClient.open(edge.webSocketUrl);
  const joined = await opened.join(token, resume);
  await until(opened, resume ? 'session.resumed' : 'session.started');
  const ms = performance.now() - startMs;
  return { client: Object.assign(opened, { joined }), ms, missed: opened.events.length - 1 };
}

function until(client: SocketClient, type: SessionEvent['type']): Promise<unknown> {
  return client.until(type, (message) => message.type === type);
}

async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as { code?: string }).code === 'session/expired') throw error;
      await sleep(RETRY_MS);
    }
  }
}
