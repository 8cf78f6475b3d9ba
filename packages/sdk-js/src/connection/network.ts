/** Of `navigator.connection`, which some browsers have. */
interface NetworkInformation extends EventTarget {
  /** `wifi`, `cellular`, …: where it is known, on phones. */
  readonly type?: string;
}

/** Calls `changed` where the device has another way into the network: it is online again, or on Wi-Fi where it was not. */
export function watchNetwork(changed: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined;
  const { connection } = navigator as { readonly connection?: NetworkInformation };
  let type = connection?.type;
  // It also changes with every new estimate of how fast the network is.
  const onChange = () => {
    if (connection?.type === type) return;
    type = connection?.type;
    changed();
  };
  window.addEventListener('online', changed);
  connection?.addEventListener('change', onChange);
  return () => {
    window.removeEventListener('online', changed);
    connection?.removeEventListener('change', onChange);
  };
}
