import { floors, type ResponseWord, type SessionEvent, type SessionEventBody } from '@microturn/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endConversation, KEPT, newConversation, reduceConversation, type Conversation } from './reduce.js';

/** Plays events, each at its session ms, as a session would stamp them. */
function play(...script: [atMs: number, body: SessionEventBody][]): Conversation {
  return script
    .map(([at, body], index) => Object.assign({ seq: index + 1, at, turn: Math.floor(at / 200) }, body) as SessionEvent)
    .reduce(reduceConversation, newConversation('me'));
}

const started: SessionEventBody = {
  type: 'session.started',
  sessionId: 's',
  room: 'r',
  participant: 'me',
  model: 'm',
  microTurnMs: 200,
  resumeToken: 't',
};
const word = (text: string, endMs: number, more: object = {}): [number, SessionEventBody] => [
  endMs + 50,
  { type: 'transcript.word', participant: 'me', text, endMs, confidence: 1, final: true, ...more },
];
const floor = (at: number, name: (typeof floors)[number], participant = 'me'): [number, SessionEventBody] => [
  at,
  { type: 'floor.changed', participant, floor: name, confidence: 0.9 },
];
const begin = (at: number, responseId = 'a', more: object = {}): [number, SessionEventBody] => [
  at,
  { type: 'response.started', responseId, kind: 'reply', audience: 'room', ...more },
];
const says = (at: number, text: string, responseId = 'a'): [number, SessionEventBody] => [
  at,
  {
    type: 'response.text',
    responseId,
    text,
    words: text.split(' ').map((one, i) => ({ text: one, startMs: i * 300, endMs: i * 300 + 280 })),
  },
];
const texts = (state: Conversation) => state.transcript.map((entry) => `${entry.speaker}: ${entry.text}`);

describe('utterances', () => {
  it('gathers words until the floor is yielded', () => {
    const state = play([0, started], word('one', 400), word('two', 700), floor(900, 'yielded'), word('three', 2000));
    expect(texts(state)).toEqual(['user: one two', 'user: three']);
    expect(state.utterances.map((u) => u.status)).toEqual(['final', 'partial']);
  });

  it('puts a word that ended before the yield with what was said, however late it is recognised', () => {
    const state = play([0, started], word('one', 400), floor(900, 'yielded'), word('two', 880));
    expect(texts(state)).toEqual(['user: one two']);
    expect(state.utterances[0]?.status).toBe('final');
  });

  it('keeps a typed message whole, and what is being said beside it', () => {
    const sent: SessionEventBody = { type: 'transcript.typed', participant: 'me', text: 'to  Bern' };
    const state = play([0, started], word('from', 400), [600, sent], word('Basel', 900), begin(1200), says(1210, 'ah'));
    expect(texts(state)).toEqual(['user: from Basel', 'user: to  Bern', 'agent: ah']);
    expect(state.utterances).toMatchObject([
      { typed: false, status: 'partial' },
      { typed: true, status: 'final', words: [], participant: 'me', startMs: 600, endMs: 600 },
    ]);
  });

  it('splits at a long pause, and not while the floor is held', () => {
    const pause = play([0, started], word('one', 400), word('two', 3500));
    expect(texts(pause)).toEqual(['user: one', 'user: two']);
    expect(pause.utterances[0]?.status).toBe('final');
    const held = play([0, started], word('one', 400), floor(600, 'holding'), word('two', 3500));
    expect(texts(held)).toEqual(['user: one two']);
    // By the time a word is recognised its speaker is speaking again.
    const goesOn = play(
      [0, started],
      word('one', 400),
      floor(600, 'holding'),
      floor(3400, 'speaking'),
      word('two', 3500),
    );
    expect(goesOn.transcript).toHaveLength(held.transcript.length);
  });

  it('begins another for who takes the floor long after they held it', () => {
    const held = [word('dog', 400), floor(600, 'holding'), floor(1500, 'silent')] as const;
    expect(texts(play([0, started], ...held, floor(9000, 'barge-in'), word('wait', 9100)))).toEqual([
      'user: dog',
      'user: wait',
    ]);
    expect(texts(play([0, started], ...held, floor(1700, 'barge-in'), word('wait', 1900)))).toEqual(['user: dog wait']);
  });

  it('goes on with an utterance after a short silence that yielded nothing', () => {
    const state = play([0, started], word('one', 400), floor(600, 'silent'), floor(900, 'speaking'), word('two', 1200));
    expect(texts(state)).toEqual(['user: one two']);
    expect(state.utterances[0]?.status).toBe('partial');
  });

  it('marks a word that the model has no name for', () => {
    const state = play([0, started], word('the', 400), word('<unk>', 700));
    expect(state.utterances[0]?.text).toBe('the …');
    expect(state.utterances[0]?.words.map((w) => w.unknown)).toEqual([false, true]);
  });

  it('replaces guesses by the first final word, and invents no start', () => {
    const state = play(
      [0, started],
      word('I', 300),
      word('lik', 500, { final: false }),
      word('like', 600, { startMs: 350 }),
    );
    expect(state.utterances[0]?.words.map((w) => w.text)).toEqual(['I', 'like']);
    expect(state.utterances[0]?.words.map((w) => w.startMs)).toEqual([undefined, 350]);
  });

  it('keeps the participants of a room apart', () => {
    const state = play([0, started], word('mine', 400), word('yours', 500, { participant: 'you' }), word('too', 600));
    expect(state.utterances.map((u) => [u.participant, u.text])).toEqual([
      ['me', 'mine too'],
      ['you', 'yours'],
    ]);
  });

  it.each(['constructor', '__proto__', 'toString'])('hears a participant who is called %s', (participant) => {
    const state = play([0, started], word('hello', 400, { participant }), floor(500, 'yielded', participant));
    expect(state.utterances).toMatchObject([{ participant, text: 'hello', status: 'final' }]);
    expect(play([0, started], floor(500, 'speaking', participant)).utterances).toEqual([]);
  });
});

describe('responses', () => {
  it('knows which words were heard', () => {
    const state = play([0, started], begin(1000), says(1010, 'one two three'), [
      1700,
      { type: 'response.heard', responseId: 'a', heardMs: 600, heardText: 'one two' },
    ]);
    expect(state.responses[0]?.words.map((w) => w.heard)).toEqual([true, true, false]);
    expect(state.responses[0]?.heardMs).toBe(600);
  });

  it('keeps what was heard when it is cut, and who cut it', () => {
    const state = play([0, started], begin(1000), says(1010, 'one two three'), [
      1700,
      {
        type: 'response.interrupted',
        responseId: 'a',
        by: 'user',
        heardMs: 310,
        heardText: 'one',
        unheardText: 'two three',
      },
    ]);
    expect(state.responses[0]).toMatchObject({
      status: 'interrupted',
      interruptedBy: 'user',
      heardText: 'one',
      heardMs: 310,
    });
    expect(state.responses[0]?.words.map((w) => w.heard)).toEqual([true, false, false]);
    expect(state.agent.speaking).toBe(false);
  });

  it('has all of a completed response heard, within a packet', () => {
    const state = play([0, started], begin(1000), says(1010, 'one two'), [
      1700,
      { type: 'response.completed', responseId: 'a', heardMs: 565 },
    ]);
    expect(state.responses[0]).toMatchObject({ status: 'completed', heardText: 'one two' });
  });

  it('counts as unheard what a muted listener missed', () => {
    const state = play([0, started], begin(1000), says(1010, 'one two'), [
      1700,
      { type: 'response.completed', responseId: 'a', heardMs: 300 },
    ]);
    expect(state.responses[0]?.words.map((w) => w.heard)).toEqual([true, false]);
    expect(state.responses[0]?.heardText).toBe('one');
  });

  it('takes no notice of a response it has not seen start', () => {
    const before = play([0, started]);
    const after = play([0, started], says(10, 'hello', 'unseen'));
    expect(after.responses).toEqual(before.responses);
  });

  it('stands in the transcript by when it started', () => {
    const state = play(
      [0, started],
      word('one', 400),
      begin(600),
      says(610, 'ah'),
      word('two', 800),
      floor(900, 'yielded'),
      word('so', 2000),
    );
    expect(texts(state)).toEqual(['user: one two', 'agent: ah', 'user: so']);
  });
});

describe('the agent', () => {
  it('listens while it speaks, and overlaps with a speaking user', () => {
    const state = play([0, started], floor(500, 'speaking'), begin(1000));
    expect(state.agent).toEqual({ listening: true, speaking: true, thinking: false, overlapping: true });
  });

  it('does not speak to us in a response that another participant hears', () => {
    const state = play([0, started], begin(1000, 'a', { audience: { participant: 'you' } }));
    expect(state.agent.speaking).toBe(false);
  });

  it('does nothing after the session has closed, though nothing else ended', () => {
    const state = play([0, started], floor(500, 'speaking'), begin(1000), [
      1200,
      { type: 'session.closed', reason: 'bye' },
    ]);
    expect(state.agent).toEqual({ listening: false, speaking: false, thinking: false, overlapping: false });
    expect(state.responses[0]?.status).toBe('interrupted');
    expect(state.floor.floor).toBe('silent');
  });

  it('is not speaking after a resume, though the end of what it said was lost with the edge', () => {
    const state = play([0, started], begin(1000), [5000, { type: 'session.resumed', lostMs: 3000 }]);
    expect(state.agent).toMatchObject({ listening: true, speaking: false });
    expect(state.responses).toMatchObject([{ status: 'interrupted' }]);
  });

  it('thinks, after a loss of events, of those tasks alone that the edge tells of again', () => {
    const task = (taskId: string, body: object) =>
      ({ taskId, revision: 1, title: taskId, ...body }) as SessionEventBody;
    const begun = (taskId: string): [number, SessionEventBody][] => [
      [100, task(taskId, { type: 'task.created', origin: 'text', prompt: taskId })],
      [200, task(taskId, { type: 'task.progress', status: 'running', note: 'lookup' })],
    ];
    const asks = task('c', { type: 'task.question', questionId: 'q', text: 'Which?' });
    const before = (lostMs: number) =>
      [
        [0, started],
        ...begun('a'),
        ...begun('b'),
        ...begun('c'),
        [300, asks],
        [400, { type: 'session.resumed', lostMs }],
      ] as [number, SessionEventBody][];
    const statuses = ({ tasks }: Conversation) => tasks.map(({ status }) => status);
    expect(statuses(play(...before(0)))).toEqual(['running', 'running', 'asking']);
    const lost = play(...before(1000));
    expect(statuses(lost)).toEqual(['stale', 'stale', 'stale']);
    expect(lost.agent.thinking).toBe(false);
    const told = play(...before(1000), [410, task('b', { type: 'task.progress', status: 'running' })], [411, asks]);
    expect(statuses(told)).toEqual(['stale', 'running', 'asking']);
    expect(told.tasks[2]).toMatchObject({ question: { id: 'q', text: 'Which?' } });
    expect(told.agent.thinking).toBe(true);
  });

  it('keeps its identity while nothing changes', () => {
    const before = play([0, started]);
    const after = reduceConversation(before, { type: 'session.resumed', seq: 2, at: 1, turn: 0, lostMs: 0 });
    expect(after.agent).toBe(before.agent);
    expect(after.transcript).toBe(before.transcript);
  });
});

describe('interruptions', () => {
  const bargeIn: SessionEventBody = { type: 'interruption', kind: 'barge-in', participant: 'me', taken: true };
  const cut: SessionEventBody = {
    type: 'response.interrupted',
    responseId: 'a',
    by: 'user',
    heardMs: 250,
    heardText: '',
    unheardText: 'one',
  };

  it('says how much was heard, whichever event comes first', () => {
    for (const [first, second] of [
      [bargeIn, cut],
      [cut, bargeIn],
    ] as const) {
      const state = play([0, started], begin(1000), says(1010, 'one'), [1300, first], [1320, second]);
      expect(state.interruptions).toMatchObject([
        { kind: 'barge-in', by: 'user', taken: true, responseId: 'a', heardMs: 250 },
      ]);
    }
  });

  it('records a backchannel without a cut', () => {
    const state = play([0, started], begin(1000), [1200, { ...bargeIn, kind: 'backchannel', taken: false }]);
    expect(state.interruptions).toMatchObject([{ kind: 'backchannel', by: 'user', taken: false, responseId: 'a' }]);
    expect(state.interruptions[0]).not.toHaveProperty('heardMs');
  });

  it('records what the agent throws in, and which response it was', () => {
    const interjection: SessionEventBody = {
      type: 'interruption',
      kind: 'interjection',
      participant: 'me',
      taken: true,
    };
    const announced = play([0, started], [1000, interjection], begin(1010, 'b', { kind: 'interjection' }));
    const said = play([0, started], begin(1000, 'b', { kind: 'interjection' }), [1010, interjection]);
    for (const state of [announced, said]) {
      expect(state.interruptions).toMatchObject([{ kind: 'interjection', by: 'agent', responseId: 'b' }]);
    }
  });

  it('records the app’s own stop', () => {
    const state = play([0, started], begin(1000), [1300, { ...cut, by: 'client' } as SessionEventBody]);
    expect(state.interruptions).toMatchObject([{ kind: 'stop', by: 'client', heardMs: 250, responseId: 'a' }]);
  });
});

describe('any sequence of events', () => {
  const participant = fc.constantFrom('me', 'you');
  const responseId = fc.constantFrom('a', 'b', 'c');
  const ms = fc.integer({ min: 0, max: 20_000 });
  const body: fc.Arbitrary<SessionEventBody> = fc.oneof(
    fc.constant(started),
    fc.record({
      type: fc.constant('floor.changed' as const),
      participant,
      floor: fc.constantFrom(...floors),
      confidence: fc.constant(1),
    }),
    fc.record({
      type: fc.constant('transcript.word' as const),
      participant,
      text: fc.constantFrom('a', 'b', '<unk>'),
      endMs: ms,
      confidence: fc.constant(1),
      final: fc.boolean(),
    }),
    fc.record({ type: fc.constant('transcript.typed' as const), participant, text: fc.constant('typed') }),
    fc.record({
      type: fc.constant('response.started' as const),
      responseId,
      kind: fc.constantFrom('reply' as const, 'interjection' as const),
      audience: fc.constant('room' as const),
    }),
    fc.record({
      type: fc.constant('response.text' as const),
      responseId,
      text: fc.constant('x y'),
      words: fc.constant<ResponseWord[]>([
        { text: 'x', startMs: 0, endMs: 100 },
        { text: 'y', startMs: 100, endMs: 200 },
      ]),
    }),
    fc.record({
      type: fc.constant('response.heard' as const),
      responseId,
      heardMs: ms,
      heardText: fc.constantFrom('', 'x', 'x y'),
    }),
    fc.record({ type: fc.constant('response.completed' as const), responseId, heardMs: ms }),
    fc.record({ type: fc.constant('response.cut' as const), responseId }),
    fc.record({
      type: fc.constant('response.interrupted' as const),
      responseId,
      by: fc.constantFrom('user' as const, 'client' as const, 'agent' as const),
      heardMs: ms,
      heardText: fc.constant('x'),
      unheardText: fc.constant('y'),
    }),
    fc.record({
      type: fc.constant('interruption' as const),
      kind: fc.constantFrom('barge-in' as const, 'backchannel' as const, 'interjection' as const),
      participant,
      taken: fc.boolean(),
    }),
  );
  const script = fc.array(fc.tuple(ms, body), { maxLength: 60 }).map((steps) => steps.sort((a, b) => a[0] - b[0]));

  it('keeps the transcript sorted, without a double, of all utterances and responses', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const { transcript, utterances, responses } = play(...steps);
        const ids = transcript.map((entry) => entry.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBe(utterances.length + responses.length);
        const starts = transcript.map((entry) => entry.startMs);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('has at most one open utterance for each participant, and none after the end', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const state = play(...steps);
        for (const name of ['me', 'you']) {
          const open = state.utterances.filter((u) => u.participant === name && u.status === 'partial');
          expect(open.length).toBeLessThanOrEqual(1);
        }
        const ended = endConversation(state);
        expect(ended.utterances.every((u) => u.status === 'final')).toBe(true);
        expect(ended.agent.speaking || ended.agent.listening).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('never forgets what was heard while a response is under way', () => {
    fc.assert(
      fc.property(fc.array(ms, { maxLength: 20 }), (heard) => {
        const steps = heard.map((heardMs, i): [number, SessionEventBody] => [
          1100 + i,
          { type: 'response.heard', responseId: 'a', heardMs, heardText: '' },
        ]);
        const state = play([0, started], begin(1000), ...steps);
        expect(state.responses[0]?.heardMs).toBe(Math.max(0, ...heard));
      }),
    );
  });
});

describe('an endless call', () => {
  it('keeps the last entries only', () => {
    const words = Array.from({ length: KEPT + 50 }, (_, i) => word(`w${i}`, i * 5000));
    const state = play([0, started], ...words);
    expect(state.transcript).toHaveLength(KEPT);
    expect(state.transcript.at(-1)?.text).toBe(`w${KEPT + 49}`);
  });
});
