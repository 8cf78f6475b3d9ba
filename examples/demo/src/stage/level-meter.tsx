import { useSession } from '@microturn/react';
import { useEffect, useRef } from 'react';

/** How loud the microphone is. Twenty times a second, so it goes past React and straight to the element. */
export function LevelMeter() {
  const { microphone } = useSession();
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const subscription = microphone.level$.subscribe((rms) => {
      const loudness = Math.min(1, Math.max(0, (20 * Math.log10(Math.max(rms, 1e-6)) + 60) / 60));
      ref.current?.style.setProperty('--level', loudness.toFixed(2));
    });
    return () => subscription.unsubscribe();
  }, [microphone]);
  return <span className="level" ref={ref} aria-hidden="true" />;
}
