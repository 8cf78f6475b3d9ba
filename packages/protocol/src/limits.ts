/** What a peer may send. Each is tested at n - 1, n and n + 1. */
export const limits = {
  /** Bytes of one WebSocket message; a larger one closes the socket with 1009. */
  messageBytes: 64 * 1024,
  /** Levels of nesting in one message. */
  messageDepth: 16,
  /** Messages a second that a socket may send for long, and the burst on top of it. */
  messagesPerSecond: 50,
  messageBurst: 200,
  /** Characters of one `say`. */
  textChars: 4096,
  /** Functions that a page may offer at once. */
  pageTools: 32,
  /** Characters of what a function gives back, as JSON. */
  toolOutputChars: 32_768,
  /** Bytes of one picture, pictures of one question, and base64 characters of one piece of a picture. */
  imageBytes: 1024 * 1024,
  images: 4,
  imagePieceChars: 60_000,
  /** Characters of what is typed into one field, and of the field's name. */
  typedChars: 2000,
  fieldChars: 64,
  /** Of one patch of a surface: operations, characters as JSON, and characters of a path. */
  patchOperations: 64,
  patchChars: 65_536,
  pointerChars: 256,
  /** Bytes of an HTTP request that brings a patch: of its characters each may be written as `\u6d77`, and something is around them. */
  patchBodyBytes: 400 * 1024,
  /** Surfaces of one session; characters of one as JSON, which one patch can draw anew, and its levels of nesting. */
  surfaces: 16,
  surfaceChars: 32_768,
  surfaceDepth: 12,
  /** Characters of a token: LiveKit's with attributes and a room configuration stay well below. */
  tokenChars: 16_384,
  /** Characters of an identity, a room and a participant's name. */
  nameChars: 128,
  /** Characters of a participant's attributes as JSON: everybody in the room gets them. */
  attributesChars: 2048,
  /** Participants of one room, at the most: so that a list of all of them fits one message of the edge. */
  participants: 256,
  /** Characters of one message of the edge. */
  serverMessageChars: 1024 * 1024,
} as const;

/** The version of the wire protocol: a peer with another one is refused with `protocol/version`. */
export const PROTOCOL_VERSION = 1;
