import { useSession } from '@microturn/react';
import type { MicroturnError } from '@microturn/sdk';
import { useCallback, useEffect, useState } from 'react';
import { toSentence } from '../shell/format.js';
import { Prose } from '../shell/prose.js';
import { useFocusHeir } from '../shell/use-focus-heir.js';

/** What went wrong without ending the call: the newest, until it is dismissed. */
export function useNotice(): [MicroturnError | undefined, (error: MicroturnError | undefined) => void] {
  const session = useSession();
  const [notice, setNotice] = useState<MicroturnError>();
  useEffect(() => {
    const subscription = session.errors.subscribe(setNotice);
    // With the call goes what went wrong in it.
    subscription.add(
      session.connection.subscribe(({ status }) => {
        if (status !== 'connected' && status !== 'reconnecting') setNotice(undefined);
      }),
    );
    return () => subscription.unsubscribe();
  }, [session]);
  return [notice, useCallback((error) => setNotice(error), [])];
}

export function NoticeBar({
  notice,
  onDismiss,
}: {
  readonly notice: MicroturnError | undefined;
  readonly onDismiss: () => void;
}) {
  const [bar, mayGo] = useFocusHeir<HTMLDivElement>();
  return (
    <div className="notices" role="status" ref={bar} tabIndex={-1}>
      {notice && (
        <p className="notice" ref={mayGo}>
          {toSentence(notice.message)}{' '}
          <span className="fix">
            <Prose>{toSentence(notice.hint)}</Prose>
          </span>
          <button type="button" className="quiet" onClick={onDismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
