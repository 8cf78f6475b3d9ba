import { useMicrophone, useSpeaker } from '@microturn/react';
import type { DeviceInfo } from '@microturn/sdk';
import { useId, type ReactNode } from 'react';

export interface DevicePickersProps {
  /** Behind one word, where there is more to look at. */
  readonly folded: boolean;
  /** These come first. */
  readonly children?: ReactNode;
}

/** Which microphone, and which loudspeaker; browsers name them once the microphone is allowed. */
export function DevicePickers({ folded, children }: DevicePickersProps) {
  const microphone = useMicrophone();
  const speaker = useSpeaker();
  const pickers = (
    <div className="devices">
      {children}
      <DevicePicker
        label="Microphone"
        devices={microphone.devices}
        value={microphone.deviceId}
        onPick={microphone.select}
      />
      <DevicePicker label="Loudspeaker" devices={speaker.devices} value={speaker.deviceId} onPick={speaker.select} />
      {microphone.isEnabled && (
        <label className="device-switch">
          <input
            type="checkbox"
            checked={speaker.ducking}
            onChange={({ target }) => speaker.setDucking(target.checked)}
          />
          Lower its voice when I begin to speak
        </label>
      )}
    </div>
  );
  return (
    <>
      {folded ? (
        <details className="device-fold">
          <summary>Devices</summary>
          {pickers}
        </details>
      ) : (
        pickers
      )}
      {(microphone.isEnabled || microphone.status === 'ended') && microphone.error && (
        <p className="device-error" role="alert">
          {microphone.error.message}: {microphone.error.hint}
        </p>
      )}
    </>
  );
}

interface DevicePickerProps {
  readonly label: string;
  readonly devices: readonly DeviceInfo[];
  readonly value: string | undefined;
  readonly onPick: (deviceId: string) => Promise<void>;
}

function DevicePicker({ label, devices, value, onPick }: DevicePickerProps) {
  const id = useId();
  const named = devices.filter((device) => device.label !== '');
  if (named.length === 0) return null;
  return (
    <p className="device">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value ?? named[0]?.deviceId} onChange={({ target }) => void onPick(target.value)}>
        {named.map((device) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label}
          </option>
        ))}
      </select>
    </p>
  );
}
