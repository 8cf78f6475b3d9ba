import * as v from 'valibot';

// What a strict server accepts: unknown fields are refused, as are messages that do not follow each other.

const Text = v.pipe(v.string(), v.minLength(1));
const TextPart = v.strictObject({ type: v.literal('text'), text: v.string() });
const UserPart = v.variant('type', [
  TextPart,
  v.strictObject({
    type: v.literal('image_url'),
    image_url: v.strictObject({ url: v.pipe(v.string(), v.startsWith('data:image/')) }),
  }),
  v.strictObject({
    type: v.literal('input_audio'),
    input_audio: v.strictObject({ data: v.pipe(v.string(), v.base64()), format: v.picklist(['wav', 'mp3']) }),
  }),
]);
const ToolCall = v.strictObject({
  id: Text,
  type: v.literal('function'),
  function: v.strictObject({ name: Text, arguments: v.string() }),
});

const Message = v.variant('role', [
  v.strictObject({ role: v.literal('system'), content: v.string() }),
  v.strictObject({
    role: v.literal('user'),
    content: v.union([v.string(), v.pipe(v.array(UserPart), v.minLength(1))]),
  }),
  v.strictObject({
    role: v.literal('assistant'),
    content: v.optional(v.nullable(v.string())),
    tool_calls: v.optional(v.pipe(v.array(ToolCall), v.minLength(1))),
  }),
  v.strictObject({ role: v.literal('tool'), tool_call_id: Text, content: v.string() }),
]);
export type WireMessage = v.InferOutput<typeof Message>;

const TokenLimit = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)));
const ChatCompletion = v.strictObject({
  model: Text,
  messages: v.pipe(v.array(Message), v.minLength(1)),
  stream: v.literal(true),
  stream_options: v.optional(v.strictObject({ include_usage: v.boolean() })),
  max_tokens: TokenLimit,
  max_completion_tokens: TokenLimit,
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  tools: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          type: v.literal('function'),
          function: v.strictObject({
            name: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
            description: v.optional(v.string()),
            parameters: v.looseObject({ type: v.literal('object') }),
            strict: v.optional(v.boolean()),
          }),
        }),
      ),
      v.minLength(1),
    ),
  ),
  tool_choice: v.optional(v.picklist(['auto', 'none', 'required'])),
  web_search_options: v.optional(
    v.strictObject({ search_context_size: v.optional(v.picklist(['low', 'medium', 'high'])) }),
  ),
});
export type ChatCompletionRequest = v.InferOutput<typeof ChatCompletion>;

/** @returns the request, or what is wrong with it */
export function parseChatCompletion(value: unknown): ChatCompletionRequest | string {
  const parsed = v.safeParse(ChatCompletion, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    return `${v.getDotPath(issue) ?? 'body'}: ${issue.message}`;
  }
  return disorder(parsed.output.messages) ?? parsed.output;
}

/** Each call of a tool is answered once, by the messages right after it. */
function disorder(messages: readonly WireMessage[]): string | undefined {
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.includes(message.tool_call_id)) return `messages.${i}: answers no call of a tool`;
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    if (open.length > 0) return `messages.${i}: ${open.join(', ')} must be answered first`;
    if (message.role !== 'assistant') continue;
    if (!message.content && !message.tool_calls) return `messages.${i}: neither content nor tool_calls`;
    open = message.tool_calls?.map(({ id }) => id) ?? [];
  }
  return open.length > 0 ? `messages: ${open.join(', ')} was not answered` : undefined;
}
