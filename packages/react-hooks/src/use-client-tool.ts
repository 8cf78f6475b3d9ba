import { useEffect, useRef } from 'react';
import type { ClientTool } from '@microturn/sdk';
import { useSession } from './use-session.js';

/**
 * Offers a function of this component to background tasks while it is mounted. The newest `execute` is called, so it
 * needs no memo; a change of the other fields offers it anew.
 */
export function useClientTool<Arguments = Record<string, unknown>>(tool: ClientTool<Arguments>): void {
  const session = useSession();
  const latest = useRef(tool);
  useEffect(() => {
    latest.current = tool;
  });
  const { name, description, approval = false } = tool;
  const parameters = JSON.stringify(tool.parameters);
  useEffect(
    () =>
      // Shown again after it was hidden: the provider makes another session in a moment.
      session.closed
        ? undefined
        : session.registerTool<Arguments>({
            name,
            description,
            approval,
            parameters: JSON.parse(parameters) as ClientTool['parameters'],
            execute: (args, context) => latest.current.execute(args, context),
          }),
    [session, name, description, approval, parameters],
  );
}
