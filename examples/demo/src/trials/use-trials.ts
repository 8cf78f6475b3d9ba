import { useSession } from '@microturn/react';
import { useEffect, useState } from 'react';
import { noTrials, watchTrials, type Trials } from './trials.js';

/** Which suggestions were seen to happen since the page was opened. */
export function useTrials(): Trials['seen'] {
  const session = useSession();
  const [seen, setSeen] = useState<Trials['seen']>({});
  useEffect(() => {
    let trials = noTrials;
    const subscription = session.events.subscribe((event) => {
      trials = watchTrials(trials, event);
      setSeen(trials.seen);
    });
    return () => subscription.unsubscribe();
  }, [session]);
  return seen;
}
