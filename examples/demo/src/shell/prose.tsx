import { Fragment } from 'react';

/** A line of text in which `backticks` stand for code, as error hints have them. */
export function Prose({ children }: { readonly children: string }) {
  return children
    .split('`')
    .map((part, index) =>
      index % 2 === 1 ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>,
    );
}
