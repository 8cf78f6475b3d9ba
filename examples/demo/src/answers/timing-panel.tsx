import { useSession } from '@microturn/react';
import { useEffect, useState } from 'react';
import { formatMs } from '../shell/format.js';
import { noTiming, totalMs, watchTiming, type AnswerTiming, type DraftView, type Timing } from './timing.js';

const stages = [
  ['floorMs', 'floor'],
  ['wordsMs', 'words'],
  ['llmMs', 'LLM'],
  ['voiceMs', 'voice'],
] as const;

const fateNames: Readonly<Record<DraftView['fate'], string>> = {
  writing: 'being written',
  committed: 'said',
  revised: 'dropped: you said more, or something else',
  superseded: 'dropped: for a newer one',
  elsewhere: 'dropped: it was not for the agent',
  failed: 'dropped: the LLM failed',
};

/** Drafts, which of them were said, and where the time went of each answer. Of the bundle alone there is nothing to show. */
export function TimingPanel() {
  const { begun, committed, dropped, drafts, answers } = useTiming();
  if (begun === 0 && answers.length === 0) return null;
  // One scale for all of them.
  const longestMs = Math.max(...answers.map(totalMs), 1);
  return (
    <section className="timing" aria-labelledby="timing-title">
      <h2 id="timing-title">How its answers come</h2>
      <p>
        While you speak, it drafts. {begun} begun, {committed} said, {dropped} dropped.
      </p>
      {drafts.length > 0 && (
        <ol className="drafts" aria-label="Drafts, newest first">
          {drafts.toReversed().map(({ id, words, fate }) => (
            <li key={id} data-fate={fate}>
              <q>{words}</q> <span>{fateNames[fate]}</span>
            </li>
          ))}
        </ol>
      )}
      {answers.length > 0 && (
        <ol className="answers" aria-label="From your last word to its first sound, newest first">
          {answers.toReversed().map((answer) => (
            <Answer key={answer.responseId} answer={answer} longestMs={longestMs} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Answer({ answer, longestMs }: { readonly answer: AnswerTiming; readonly longestMs: number }) {
  return (
    <li>
      <p>
        <b>{formatMs(totalMs(answer))}</b> from your last word{answer.drafted && ', drafted before it'}
      </p>
      <div className="stages" aria-hidden="true">
        {stages.map(([key, name]) => (
          <span key={key} data-stage={name} style={{ width: `${(100 * answer[key]) / longestMs}%` }} />
        ))}
      </div>
      <dl>
        {stages.map(([key, name]) => (
          <div key={key} data-stage={name}>
            <dt>{name}</dt>
            <dd>{formatMs(answer[key])}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

function useTiming(): Timing {
  const session = useSession();
  const [timing, setTiming] = useState(noTiming);
  useEffect(() => {
    const subscription = session.events.subscribe((event) => setTiming((before) => watchTiming(before, event)));
    return () => subscription.unsubscribe();
  }, [session]);
  return timing;
}
