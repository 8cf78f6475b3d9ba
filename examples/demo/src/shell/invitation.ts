/** The room and the name that the address gives, so that several people can meet: `?room=kitchen&name=Ann`. */
export function invitationIn(search: string): { readonly room?: string; readonly participantName?: string } {
  const query = new URLSearchParams(search);
  const room = query.get('room');
  const name = query.get('name');
  return { ...(room && { room }), ...(name && { participantName: name }) };
}
