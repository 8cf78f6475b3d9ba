import { all, create, type MathNode } from 'mathjs';
import type { Tool } from '../toolbox.js';

const math = create(all ?? {}, { number: 'number' });
/** Node types that an expression may have: no assignment, no matrix, no function of its own. */
const NODES = new Set(['ConstantNode', 'OperatorNode', 'ParenthesisNode', 'SymbolNode', 'FunctionNode']);
const FUNCTIONS = new Set(
  'abs acos asin atan cbrt ceil cos exp floor log log10 log2 max min mod nthRoot pow round sign sin sqrt tan'.split(
    ' ',
  ),
);
const CONSTANTS = new Set(['pi', 'e', 'tau', 'phi']);
const LONGEST_CHARS = 256;
/** Significant digits that are worth saying. */
const PRECISION = 12;

/**
 * Works out an expression such as `2 * (3 + 4)`, `15 % 4`, `30 km/h * 2 h` or `5 miles to km`.
 * @throws {Error} that says what is wrong with it
 */
export function calculate(expression: string): string {
  if (expression.length > LONGEST_CHARS) throw new RangeError(`expected at most ${LONGEST_CHARS} characters`);
  const node = math.parse(toMathjs(expression));
  node.traverse(check);
  const value: unknown = node.evaluate();
  if (typeof value === 'number' ? !Number.isFinite(value) : !math.isUnit(value)) {
    throw new RangeError('it has no finite value');
  }
  return math.format(value, { precision: PRECISION, lowerExp: -9, upperExp: 15 });
}

/** Tells whether a text is something to work out, and not just one number. */
export function isExpression(text: string): boolean {
  try {
    calculate(text);
    return /\d\s*[-+*/^%×÷]|\b(?:to|in)\b|\(/.test(text);
  } catch {
    return false;
  }
}

function check(node: MathNode): void {
  if (!NODES.has(node.type)) throw new SyntaxError(`${node.type} is not allowed`);
  if (node.type === 'FunctionNode') {
    const name = (node as unknown as { fn: { name?: string } }).fn.name ?? '';
    if (!FUNCTIONS.has(name)) throw new SyntaxError(`there is no function ${name}`);
  }
  if (node.type === 'SymbolNode') {
    const { name } = node as unknown as { name: string };
    if (!CONSTANTS.has(name) && !FUNCTIONS.has(name) && !math.Unit.isValuelessUnit(name)) {
      throw new SyntaxError(`unknown: ${name}`);
    }
  }
}

/** Names that people use where mathjs has others. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:degrees? )?celsius\b|°\s*C\b/gi, 'degC'],
  [/\b(?:degrees? )?fahrenheit\b|°\s*F\b/gi, 'degF'],
  [/\bkilometres?\b/gi, 'kilometers'],
  [/\bmetres?\b/gi, 'meters'],
  [/\bcentimetres?\b/gi, 'centimeters'],
  [/\bmillimetres?\b/gi, 'millimeters'],
  [/\blitres?\b/gi, 'liters'],
  [/\bmillilitres?\b/gi, 'milliliters'],
  [/\bpounds?\b/gi, 'lbs'],
  [/\bkilos?\b/gi, 'kilograms'],
  [/\bmph\b|\bmiles per hour\b/gi, 'mi/h'],
  [/\bkmh\b|\bkph\b|\bkilometers per hour\b/gi, 'km/h'],
];

function toMathjs(expression: string): string {
  const plain = expression
    .replaceAll('×', '*')
    .replaceAll('÷', '/')
    .replaceAll('−', '-')
    .replaceAll(/(\d),(?=\d{3}\b)/g, '$1');
  return UNITS.reduce((text, [pattern, unit]) => text.replaceAll(pattern, unit), plain);
}

export const calculator: Tool = {
  name: 'calculate',
  description:
    'Works out an arithmetic expression, also with units: "2 * (3 + 4)", "sqrt(2)", "5 miles to km", "30 km/h * 2 h".',
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string', minLength: 1, maxLength: LONGEST_CHARS } },
    required: ['expression'],
    additionalProperties: false,
  },
  run: ({ expression }: { expression: string }) => calculate(expression),
};
