import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonAsPython } from './numbers.ts';
import { parseTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '000000000000' };

/** The value of a variable whose template, in YAML, is `value`. */
function variable(value: string): string | undefined {
  return parseTemplate(templateOf(value), '/project/template.yaml', OPTIONS).functions[0]?.environmentVariables.V;
}

const templateOf = (value: string) => `
Parameters: {P: {Type: String, Default: ${value}}}
Mappings: {M: {000123456789: {K: ${value}}}}
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: ${value}}}
  A:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      Handler: a.b
      Timeout: 3.0
      Environment:
        Variables:
          V: ${value}
          Ref: !Ref P
          Sub: !Sub 'arn:aws:iam::\${P}:role/r'
          Map: !Sub ['\${a}', {a: ${value}}]
          Join: !Join [':', [a, ${value}]]
          Found: !FindInMap [M, '000123456789', K]
          Json: !ToJsonString {a: ${value}}
          Queue: !GetAtt Q.QueueName`;

// The second column is `str(yaml.safe_load(…))` of PyYAML, SAM's parser.
test.each([
  ['000123456789', '000123456789'],
  ['012345670123', '1402433619'],
  ['123456789012', '123456789012'],
  ['22:22', '1342'],
  ['0:30', '0:30'],
  ['1:02:03', '3723'],
  ['1:02.5', '62.5'],
  ['1.0', '1.0'],
  ['1.50', '1.5'],
  ['1.', '1.0'],
  ['.5', '0.5'],
  ['-.5', '-.5'],
  ['+.5', '+.5'],
  ['-1.5', '-1.5'],
  ['+7', '7'],
  ['-7', '-7'],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['0', '0'],
  ['00', '0'],
  ['08', '08'],
  ['0123', '83'],
  ['0b101', '5'],
  ['0x1F', '31'],
  ['1_000', '1000'],
  ['1_000.5', '1000.5'],
  ['0o17', '0o17'],
  ['12345678901234567890123', '12345678901234567890123'],
  ['9007199254740993', '9007199254740993'],
  ['-12345678901234567890', '-12345678901234567890'],
  ['1e3', '1e3'],
  ['1E3', '1E3'],
  ['1.e3', '1.e3'],
  ['1.0e3', '1.0e3'],
  ['1.0e+3', '1000.0'],
  ['1.5e-7', '1.5e-07'],
  ['1.0e+16', '1e+16'],
  ['123456789012345680.0', '1.2345678901234568e+17'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['0.1', '0.1'],
  ['3.14159265358979323846', '3.141592653589793'],
  ['.inf', 'inf'],
  ['-.inf', '-inf'],
  ['.nan', 'nan'],
  ['._5', '._5'],
  ['1.2.3', '1.2.3'],
  ['0.30000000000000004', '0.30000000000000004'],
  ['1.0e+400', 'inf'],
  ['.', '.'],
  ['5', '5'],
  ['20', '20'],
])('%s is %s', (text, expected) => {
  expect(variable(text)).toBe(expected);
});

test.each([
  ['000123456789', '000123456789', '"000123456789"'],
  ['12345678901234567890123', '12345678901234567890123', '12345678901234567890123'],
  ['1.0', '1.0', '1.0'],
  ['1e3', '1e3', '"1e3"'],
  ['012345670123', '1402433619', '1402433619'],
])('%s is the same text wherever it becomes one', (text, expected, json) => {
  const [spec] = parseTemplate(templateOf(text), '/project/template.yaml', OPTIONS).functions;
  expect(spec?.timeoutMs).toBe(3000);
  expect(spec?.environmentVariables).toEqual({
    V: expected,
    Ref: expected,
    Sub: `arn:aws:iam::${expected}:role/r`,
    Map: expected,
    Join: `a:${expected}`,
    Found: expected,
    Json: `{"a":${json}}`,
    Queue: expected,
  });
});

test.each([
  ['1.0', '1.0'],
  ['1e3', '1000.0'],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['12345678901234567890123', '12345678901234567890123'],
  ['1.50', '1.5'],
  ['12', '12'],
  ['1e-7', '1e-07'],
  ['1E400', 'inf'],
])('%s of JSON is %s', (text, expected) => {
  expect(Object.keys(parseJsonAsPython(`{"a 1.0, \\" 1.0": [${text}]}`) as object)).toEqual(['a 1.0, " 1.0']);
  expect(String((parseJsonAsPython(`[${text}]`) as readonly unknown[])[0])).toBe(expected);
});

test('a pattern compares numbers, and 1.0 is 1', () => {
  const { services } = parseTemplate(
    `Resources:
  R: {Type: AWS::Events::Rule, Properties: {EventPattern: {detail: {n: [{numeric: ['>', 1.0]}]}}, Targets: []}}`,
    '/project/template.yaml',
    OPTIONS,
  );
  expect(JSON.stringify(services.rules.map(({ pattern }) => pattern))).toBe('[{"detail":{"n":[{"numeric":[">",1]}]}}]');
  expect(services.rules[0]?.pattern).toEqual({ detail: { n: [{ numeric: ['>', 1] }] } });
});

test('every other value of JSON is as JSON.parse gives it', () => {
  const plain = fc.jsonValue().filter((value) => !/\d[.e]|\d{16}/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(plain, (value) => {
      const text = JSON.stringify(value);
      expect(parseJsonAsPython(text)).toEqual(JSON.parse(text));
    }),
  );
});
