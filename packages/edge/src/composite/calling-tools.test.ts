import { describe, expect, it } from 'vitest';
import type { SessionTools } from '../session/index.js';
import { talk, turnTaking } from './fixtures/row-talk.js';

const patience = { wordMs: 60_000, word: '', firstMs: 60_000, stallMs: 60_000, sorry: 'Sorry.' };

describe('a composite row', () => {
  describe('with tools', () => {
    /** One tool, whose calls the test answers. */
    function weather() {
      const calls: { args: unknown; signal: AbortSignal; answer: (text: string) => void; fail: (error: Error) => void }[] = []; // prettier-ignore
      const tools: SessionTools = {
        list: () => [{ name: 'weather', description: 'of a place', parameters: { type: 'object' } }],
        call: ({ arguments: args }, signal) =>
          new Promise((answer, fail) => {
            calls.push({ args, signal, answer, fail });
            signal.addEventListener('abort', () => fail(signal.reason as Error));
          }),
      };
      return { tools, calls };
    }
    const called = { type: 'tool-call', toolCallId: 'call-weather', toolName: 'weather', input: { place: 'Rome' } };
    const resultOf = (type: string, value: string) => ({
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'call-weather', toolName: 'weather', output: { type, value } }],
    });

    it('an answer calls one while it talks, and goes on with the result; no decision waits for it', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, said, decisions, observe, settle } = talk('.SSSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.writes('Let me look.');
      llm.calls('weather', { place: 'Rome' });
      await settle();
      expect(said).toEqual(['Let me look.']);
      expect(llm.requests[0]).toMatchObject({ tools: [{ name: 'weather' }] });
      observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
      observe({ type: 'response.text', responseId: 'r1', text: 'Let me look.', words: [] });
      await turns(60);
      // Nothing of it is being said: the response ends, and others may speak.
      expect(decisions.at(-1)!.more).toBeUndefined();
      expect(decisions).toHaveLength(66);
      observe({ type: 'response.completed', responseId: 'r1', heardMs: 400 });
      expect(calls).toMatchObject([{ args: { place: 'Rome' } }]);
      calls[0]!.answer('21 degrees');
      await settle();
      llm.writes('It is 21 degrees.', '');
      await settle();
      expect(llm.requests[1]!.messages).toEqual([
        { role: 'user', content: 'is it warm in Rome' },
        { role: 'assistant', content: [{ type: 'text', text: 'Let me look.' }, called] },
        resultOf('text', '21 degrees'),
      ]);
      expect(said).toEqual(['Let me look.', 'It is 21 degrees.']);
      observe({ type: 'response.started', responseId: 'r2', kind: 'reply', audience: 'room' });
      observe({ type: 'response.completed', responseId: 'r2', heardMs: 400 });
      await turns(1);
      expect(llm.requests).toHaveLength(2);
    });

    it('what the user says meanwhile calls nothing off, and is told with the result', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSSY..SSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await turns(6);
      scribe.says('yes you may', 2400);
      await settle();
      expect(calls[0]!.signal.aborted).toBe(false);
      calls[0]!.fail(new Error('no network'));
      await settle();
      expect(llm.requests.at(-1)!.messages.slice(2)).toEqual([
        resultOf('error-text', expect.stringContaining('no network') as unknown as string),
        { role: 'user', content: 'yes you may' },
      ]);
    });

    it('a result that comes while they speak waits for what they say, and goes on with both', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, said, settle } = talk('.SSSSY..SSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.writes('Let me look.');
      llm.calls('weather', { place: 'Rome' });
      await turns(3);
      calls[0]!.answer('21 degrees');
      await turns(3);
      expect(llm.requests).toHaveLength(1);
      scribe.says('and in Paris', 2400);
      await settle();
      expect(llm.requests[1]!.messages.slice(2)).toEqual([
        resultOf('text', '21 degrees'),
        { role: 'user', content: 'and in Paris' },
      ]);
      llm.writes('It is 21 degrees.', '');
      await settle();
      expect(said).toEqual(['Let me look.', 'It is 21 degrees.']);
      expect(calls).toHaveLength(1);
    });

    it('and where that is nothing, it goes on as if they had not', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSSY..SY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await turns(3);
      calls[0]!.answer('21 degrees');
      await turns(1);
      expect(llm.requests).toHaveLength(1);
      scribe.says('', 2000);
      await settle();
      expect(llm.requests[1]!.messages.slice(2)).toEqual([resultOf('text', '21 degrees')]);
    });

    it('a result is known to every later question, whatever became of the answer that asked for it', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, observe, settle } = talk('.SSSSY.SSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.writes('Let me look.');
      llm.calls('weather', { place: 'Rome' });
      await settle();
      observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
      observe({ type: 'response.text', responseId: 'r1', text: 'Let me look.', words: [] });
      observe({ type: 'response.completed', responseId: 'r1', heardMs: 400 });
      calls[0]!.answer('21 degrees');
      await settle();
      // They go on before its next word: what was called for stays called for.
      await turns(4);
      scribe.says('I mean in summer', 2000);
      await settle();
      expect(llm.requests[1]!.signal.aborted).toBe(true);
      expect(llm.requests.at(-1)!.messages).toEqual([
        { role: 'user', content: 'is it warm in Rome' },
        { role: 'assistant', content: [{ type: 'text', text: 'Let me look.' }, called] },
        resultOf('text', '21 degrees'),
        { role: 'user', content: 'I mean in summer' },
      ]);
    });

    it('of a long result later questions know the beginning, and one that has no tools knows nothing', async () => {
      const { tools, calls } = weather();
      let offered = true;
      const some: SessionTools = { ...tools, list: () => (offered ? tools.list() : []) };
      const { turns, scribe, llm, row, settle } = talk('.SSSSY', {}, some);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await settle();
      calls[0]!.answer('long '.repeat(10_000));
      await settle();
      row.typed!({ field: 'message', text: 'and now', sent: true });
      await settle();
      expect(JSON.stringify(llm.requests[1]!.messages).length).toBeGreaterThan(50_000);
      expect(llm.requests.at(-1)!.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
      expect(JSON.stringify(llm.requests.at(-1)!.messages).length).toBeLessThan(4_000);
      offered = false;
      row.typed!({ field: 'message', text: 'and then', sent: true });
      await settle();
      expect(llm.requests.at(-1)!.messages.map(({ role }) => role)).toEqual(['user']);
    });

    it('a draft calls none before it is the answer, and one that is dropped never does', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSShY', {}, tools);
      await turns(5);
      scribe.says('is it warm in Rome', 1000);
      await settle();
      expect(llm.requests).toMatchObject([{ purpose: 'draft' }]);
      llm.calls('weather', { place: 'Rome' });
      await turns(1);
      expect(calls).toEqual([]);
      await turns(1);
      scribe.says('is it warm in Rome', 1400);
      await settle();
      expect(calls).toHaveLength(1);
      expect(llm.requests).toHaveLength(1);
    });

    it('an answer that is held back calls none before the user has said nothing more', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSSYSY.', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await turns(1);
      llm.calls('weather', { place: 'Rome' });
      await settle();
      await turns(1);
      expect(calls).toEqual([]);
      scribe.says('', 1600);
      await turns(1);
      expect(calls).toHaveLength(1);
      expect(llm.requests).toHaveLength(1);
    });

    it('an answer that calls them on and on ends where it is offered none any more, and that is a failure', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, said, events, settle } = talk('.SSSSY', { turnTaking: { ...turnTaking, patience } }, tools); // prettier-ignore
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      for (let round = 1; round <= 20; round++) {
        llm.calls('weather', { round });
        await settle();
        for (const call of calls) call.answer('21 degrees');
        await settle();
      }
      expect(llm.requests.map(({ tools: offered }) => offered?.length)).toEqual([1, 1, 1, 1, undefined]);
      expect(calls).toHaveLength(4);
      expect(events.filter(({ type }) => type === 'error')).toMatchObject([{ code: 'llm/malformed' }]);
      expect(said).toEqual(['Sorry.']);
    });

    it('one that says something and calls what there is not is what it says', async () => {
      const { turns, scribe, llm, said, events, settle } = talk('.SSSSY');
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.writes('Let me look.');
      llm.calls('weather', { place: 'Rome' });
      await settle();
      expect([said, events]).toEqual([['Let me look.'], []]);
      expect(llm.requests).toHaveLength(1);
    });

    it('is given up with its answer', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, row, settle } = talk('.SSSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await settle();
      row.typed!({ field: 'message', text: 'never mind', sent: true });
      expect(calls[0]!.signal.aborted).toBe(true);
      await settle();
      expect(llm.requests.at(-1)!.messages.at(-1)).toMatchObject({ content: expect.stringContaining('never mind') });
    });
  });
});
