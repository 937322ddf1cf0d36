import * as sdk from '@aws-sdk/client-xray';

const [ERROR, LIST, MAP, STRUCTURE, UNION, OPERATION] = [-3, 1, 2, 3, 4, 9];
const [STRING, NUMBER, BOOLEAN, TIMESTAMP] = [0, 1, 2, 4];
/** Flags of lists and maps of simple shapes; the rest of the number is the shape of their values. */
const [LIST_OF_SIMPLE, MAP_OF_SIMPLE] = [64, 128];

/**
 * Members of a value that AWS's model of X-Ray does not define, as paths such as `TraceSummaries.0.AnyFault`, and members
 * of another type. The model is the one that ships with the AWS SDK: nested lists whose first number is the kind.
 */
export function unknownMembers(schema: unknown, value: unknown, path = ''): readonly string[] {
  if (value === null || value === undefined) return [];
  const shape = dereferenced(schema);
  if (typeof shape === 'number') return ofSimpleShape(shape, value, path);
  const [kind, , , , first, second] = shape;
  if (kind === LIST) return ofList(first, value, path);
  if (kind === MAP) return ofMap(second, value, path);
  if (kind === STRUCTURE || kind === ERROR || kind === UNION) {
    return ofStructure(first as readonly string[], second as readonly unknown[], value, path);
  }
  throw new Error(`the model has a shape of the unknown kind ${kind} at ${path}`);
}

export type AwsOperation = { readonly name: string; readonly path: string; readonly output: unknown };

/** Every operation of AWS's model. */
export const AWS_OPERATIONS: readonly AwsOperation[] = Object.values(sdk).flatMap((exported: unknown) => {
  if (!Array.isArray(exported) || exported[0] !== OPERATION) return [];
  const [, , name, traits, , output] = exported as [
    number,
    string,
    string,
    { http: [string, string] },
    unknown,
    unknown,
  ];
  return [{ name, path: traits.http[1], output }];
});

type Shape = number | readonly unknown[];

/** Shapes refer to each other by functions, and members with traits are pairs of both. */
function dereferenced(schema: unknown): Shape {
  if (typeof schema === 'function') return dereferenced(schema());
  if (Array.isArray(schema) && schema.length === 2) return dereferenced(schema[0]);
  return schema as Shape;
}

function ofSimpleShape(shape: number, value: unknown, path: string): readonly string[] {
  if (shape & MAP_OF_SIMPLE) return ofMap(shape ^ MAP_OF_SIMPLE, value, path);
  if (shape & LIST_OF_SIMPLE) return ofList(shape ^ LIST_OF_SIMPLE, value, path);
  const types = new Map([
    [STRING, 'string'],
    [NUMBER, 'number'],
    [BOOLEAN, 'boolean'],
    [TIMESTAMP, 'number'],
  ]);
  const type = types.get(shape);
  if (type === undefined) throw new Error(`the model has the unknown simple shape ${shape} at ${path}`);
  return typeof value === type ? [] : [`${path} (not a ${type})`];
}

function ofList(item: unknown, value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value)) return [`${path} (not a list)`];
  return value.flatMap((one, index) => unknownMembers(item, one, `${path}.${index}`));
}

function ofMap(item: unknown, value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object') return [`${path} (not an object)`];
  return Object.entries(value as object).flatMap(([key, one]) => unknownMembers(item, one, `${path}.${key}`));
}

function ofStructure(
  names: readonly string[],
  shapes: readonly unknown[],
  value: unknown,
  path: string,
): readonly string[] {
  if (typeof value !== 'object' || Array.isArray(value)) return [`${path} (not an object)`];
  return Object.entries(value as object).flatMap(([key, one]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const index = names.indexOf(key);
    return index < 0 ? [at] : unknownMembers(shapes[index], one, at);
  });
}
