import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { mergeGlobals } from './globals.ts';
import { allWarnings, parseParameterOverrides, parseTemplate, readTemplate } from './template.ts';
import { parseTemplateText } from './text.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '000000000000' };

function read(text: string, parameters: Record<string, string> = {}) {
  return parseTemplate(text, '/project/template.yaml', { ...OPTIONS, parameters });
}

/** The value of a function's one variable; `value` is YAML. */
function variable(value: string, more = ''): string | undefined {
  const { functions } = read(`
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: dev}
  Zones: {Type: CommaDelimitedList, Default: 'a, b ,c'}
  Unset: {Type: String}
Mappings:
  RegionMap:
    eu-west-1: {Layer: arn:layer, Zip: '0123'}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Condition IsProd]
  Either: !Or [!Condition IsDev, !Condition IsProd]
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub '/logs/\${Stage}'}}
  Other: {Type: AWS::Serverless::Function, Properties: {FunctionName: !Sub 'other-\${Stage}', Runtime: nodejs20.x, Handler: a.b}}
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs20.x, Handler: index.handler, Environment: {Variables: {V: ${value}}}}
${more}`);
  return functions.find(({ logicalId }) => logicalId === 'Fn')?.environmentVariables.V;
}

describe('intrinsic functions', () => {
  test.each([
    ['!Ref Stage', 'dev'],
    ['!Ref Zones', '["a","b","c"]'],
    ['!Ref AWS::Region', 'eu-west-1'],
    ['!Ref "AWS::AccountId"', '000000000000'],
    ['!Ref AWS::StackName', 'local'],
    ['!Ref Table', 'Table'],
    ['!Ref Logs', '/logs/dev'],
    ['!Ref Other', 'other-dev'],
    ['!GetAtt Other.Arn', 'arn:aws:lambda:eu-west-1:000000000000:function:other-dev'],
    ['!GetAtt [Other, Arn]', 'arn:aws:lambda:eu-west-1:000000000000:function:other-dev'],
    ['!GetAtt Table.StreamArn', 'arn:aws:dynamodb:eu-west-1:000000000000:table/Table/stream/2020-01-01T00:00:00.000'],
    [
      `!Sub '\${Stage}-\${AWS::Region}-\${!Literal}-\${Other.Arn}'`,
      `dev-eu-west-1-\${Literal}-arn:aws:lambda:eu-west-1:000000000000:function:other-dev`,
    ],
    [`!Sub ['\${a}/\${Stage}', {a: !Ref AWS::Partition}]`, 'aws/dev'],
    ['!FindInMap [RegionMap, !Ref "AWS::Region", Layer]', 'arn:layer'],
    ['!FindInMap [RegionMap, nowhere, Layer, {DefaultValue: none}]', 'none'],
    ["!Join ['-', [a, !Ref Stage]]", 'a-dev'],
    ["!Join ['', !Split ['.', a.b.c]]", 'abc'],
    ["!Select [1, !Split ['.', a.b.c]]", 'b'],
    ["!Select ['1', !GetAZs '']", 'eu-west-1b'],
    ['!Base64 text', 'dGV4dA=='],
    [`{"Fn::Base64": {"Fn::Sub": "\${Stage}"}}`, 'ZGV2'],
    ["!Select [1, !Cidr ['10.0.0.0/16', 3, 8]]", '10.0.1.0/24'],
    ['!Length [1, 2, 3]', '3'],
    ['!ToJsonString {a: !Ref Stage}', '{"a":"dev"}'],
    ['!If [IsDev, yes-dev, no-dev]', 'yes-dev'],
    ['!If [IsProd, yes-prod, no-prod]', 'no-prod'],
    ['!If [Both, a, b]', 'b'],
    ['!If [Either, a, b]', 'a'],
    ['!If [IsDev, !Ref AWS::NoValue, x]', undefined],
    ['!ImportValue shared-vpc', 'shared-vpc'],
    ["'{{resolve:ssm:/name}}'", '{{resolve:ssm:/name}}'],
    ['yes', 'true'],
    ['0123', '83'],
    ['2012-10-17', '2012-10-17'],
    ['n', 'n'],
    ['.', '.'],
    ['.5', '0.5'],
    ['1.50', '1.5'],
    ['!Ref Unset', ''],
  ])('%s', (yaml, expected) => {
    expect(variable(yaml)).toBe(expected);
  });

  test('each value that is not known locally gives one warning', () => {
    const { functions } = read(`
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, Environment: {Variables: {V: !ImportValue x}}, Layers: ['arn:aws:lambda:eu-west-1:1:layer:l:1']}}`);
    expect(functions[0]?.warnings).toEqual([
      'A.Environment: the export x of another stack is not known here; its name is used instead.',
      'A: the layer arn:aws:lambda:eu-west-1:1:layer:l:1 is not in this template, and the function runs without it. --layer l=FOLDER names its folder.',
    ]);
  });

  test('each unsupported resource gives one warning, and everything else runs', () => {
    const { sourceWarnings, functions } = read(`
Resources:
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.json}}
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b}}`);
    expect(sourceWarnings).toEqual([
      'Flow: openray does not run state machines; their functions run only when you invoke them.',
      'Inner: openray does not read nested stacks; name their template with --template.',
    ]);
    expect(functions.map(({ logicalId }) => logicalId)).toEqual(['A']);
  });

  test('a template whose conditions are all false has no functions', () => {
    const { functions } = read('Conditions: {No: !Equals [a, b]}\nResources: {F: {Type: T, Condition: No}}');
    expect(functions).toEqual([]);
  });

  test('a condition that depends on itself is a warning, not an endless loop', () => {
    const { warnings } = read('Conditions: {A: !Not [!Condition A]}\nResources: {R: {Type: T, Condition: A}}');
    expect(warnings).toEqual(['Conditions.A: there is no condition A; the condition of R counts as true.']);
  });
});

describe('functions', () => {
  test('have Lambda’s defaults', () => {
    const { functions } = read(
      'Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: i.h}}}',
    );
    expect(functions).toEqual([
      {
        logicalId: 'F',
        name: 'F',
        runtime: 'nodejs20.x',
        handler: 'i.h',
        codeDir: '/project',
        inlineCode: undefined,
        timeoutMs: 3000,
        memoryMb: 128,
        environmentVariables: {},
        tracing: 'PassThrough',
        layerDirs: [],
        layerSourceDirs: [],
        architecture: 'x86_64',
        logging: { format: 'Text', applicationLevel: 'INFO', systemLevel: 'INFO', logGroup: '/aws/lambda/F' },
        build: { kind: 'none' },
        reservedConcurrency: undefined,
        maxRetryAttempts: 2,
        aliases: [],
        hasVersions: false,
        maxEventAgeMs: 21_600_000,
        deadLetterArn: undefined,
        destinations: { onSuccess: undefined, onFailure: undefined },
        warnings: [],
        unsupportedReason: undefined,
        frameworkName: undefined,
      },
    ]);
  });

  test.each([
    ['active', ['Active', 'Active']],
    ['passthrough', ['PassThrough', 'PassThrough']],
    ['template', ['Active', 'PassThrough']],
  ] as const)('with tracing %s', (tracing, modes) => {
    const text = `
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x, Handler: a.b, Tracing: Active}}
  B: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs22.x, Handler: a.b}}`;
    const { functions } = parseTemplate(text, '/project/template.yaml', { ...OPTIONS, tracing });
    expect(functions.map((spec) => spec.tracing)).toEqual(modes);
  });

  test('have Globals, layers, esbuild metadata and all other properties that running needs', () => {
    const { functions } = read(`
Globals:
  Function: {Runtime: python3.11, Timeout: 5, MemorySize: 256, Tracing: Active, Environment: {Variables: {A: global, B: global}}}
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layers/shared}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {Minify: true, EntryPoints: [src/app.ts]}}
    Properties:
      CodeUri: function/vanilla/
      Handler: vanilla.handler
      Timeout: '7'
      Tracing: PassThrough
      Environment: {Variables: {B: own, N: 1.5, T: true}}
      Layers: [!Ref Shared]
      Architectures: [arm64]
      ReservedConcurrentExecutions: 3
      EventInvokeConfig: {MaximumRetryAttempts: 0}
      LoggingConfig: {LogFormat: JSON, SystemLogLevel: WARN}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Runtime: nodejs22.x, Handler: i.h, TracingConfig: {Mode: Active}, Code: {ZipFile: 'exports.h = 1'}}
  Skipped: {Type: AWS::Serverless::Function, Condition: Never, Properties: {}}
Conditions: {Never: !Equals [a, b]}`);
    expect(functions).toMatchObject([
      {
        logicalId: 'F',
        runtime: 'python3.11',
        codeDir: '/project/function/vanilla',
        timeoutMs: 7000,
        memoryMb: 256,
        tracing: 'PassThrough',
        environmentVariables: { A: 'global', B: 'own', N: '1.5', T: 'true' },
        layerDirs: ['/project/layers/shared'],
        layerSourceDirs: [],
        architecture: 'arm64',
        reservedConcurrency: 3,
        maxRetryAttempts: 0,
        logging: { format: 'JSON', systemLevel: 'WARN' },
        build: { kind: 'esbuild', properties: { Minify: true, EntryPoints: ['src/app.ts'] } },
      },
      { logicalId: 'Plain', tracing: 'Active', inlineCode: 'exports.h = 1', timeoutMs: 3000, environmentVariables: {} },
    ]);
  });

  test.each([
    ['PackageType: Image', 'is a container image'],
    ['Runtime: dotnet8, Handler: x', 'needs dotnet8; openray runs nodejs, python3, java, ruby3 and provided'],
    ['Runtime: nodejs20.x, Handler: x, CodeUri: s3://bucket/key', 'is in S3'],
    ['Runtime: nodejs20.x, Handler: x, CodeUri: {Bucket: b, Key: k}', 'is in S3'],
    ['Runtime: nodejs20.x', 'has no Handler'],
    ['Handler: x.y', 'has no Runtime'],
  ])('%s cannot run here', (properties, reason) => {
    const { functions } = read(`Resources: {F: {Type: AWS::Serverless::Function, Properties: {${properties}}}}`);
    expect(functions[0]?.unsupportedReason).toContain(reason);
  });
});

describe('errors are one sentence with place and remedy', () => {
  const fn = (properties: string, more = '') =>
    `${more}\nResources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, ${properties}}}`;
  test.each([
    ['Resources: {F: [}', /^\/project\/template.yaml:1:\d+: .+/],
    ['just text', 'a template is a map with Resources'],
    ['Globals: {}', 'template.yaml: a template has a map of Resources; this one has none'],
    ['Resources: {F: {Properties: {}}}', 'this one has none. template.yaml: Resources.F needs a Type; it is left out'],
  ])('%s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test.each([
    [fn('Timeout: 901'), 'F.Timeout is 901; it must be a whole number from 1 to 900.'],
    [fn('MemorySize: lots'), 'F.MemorySize is "lots"; it must be a whole number'],
    [fn('LoggingConfig: {SystemLogLevel: LOUD}'), 'F.LoggingConfig.SystemLogLevel is "LOUD"; it must be one of TRACE'],
    [
      fn('CodeUri: !Ref Where', 'Parameters: {Where: {Type: String}}'),
      'F.CodeUri: the parameter Where has no value; give it with',
    ],
    [fn('Timeout: !If [Nope, 1, 2]'), 'F.Timeout: there is no condition Nope.'],
    [fn('Tracing: !Join text'), 'F.Tracing: Fn::Join takes a list of 2 or more.'],
  ])('%s: this function cannot run, and the rest can', (text, reason) => {
    const { functions } = read(`${text}\n  G: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12}}`);
    expect(functions.map(({ logicalId }) => logicalId)).toEqual(['F', 'G']);
    expect(functions[0]?.unsupportedReason).toContain(reason);
  });

  test.each([
    ['!FindInMap [X, y, z]', 'F.Environment: Mappings has no X.y.z; it is empty.'],
    ['!Select [7, [a]]', 'F.Environment: Fn::Select asks for an item that the list does not have; it is empty.'],
    ['!Join text', 'F.Environment: Fn::Join takes a list of 2 or more; it is empty.'],
    ['!If [Nope, 1, 2]', 'F.Environment: there is no condition Nope; it is empty.'],
  ])('the variable %s is empty, with a warning', (value, warning) => {
    const { functions } = read(fn(`Environment: {Variables: {A: ${value}, B: b}}`));
    expect(functions[0]?.environmentVariables).toEqual({ A: '', B: 'b' });
    expect(functions[0]?.warnings).toEqual([warning]);
  });

  test('a broken part of an API is a warning, and the other routes are there', () => {
    const template = read(`
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !FindInMap [Not, a, map]
      DefinitionBody: {paths: {/broken: !Join text, /no: null}}
  Method: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Select [9, []]}}
  Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: !Split text}, Targets: 1}}
  Alias: {Type: AWS::Lambda::Alias, Properties: {Name: !Join text, FunctionName: !Ref F}}
  Typeless: {Properties: {}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Events:
        Broken: {Type: Api, Properties: {Path: !Join text, Method: get}}
        Nothing: null
        Good: {Type: Api, Properties: {Path: /good, Method: get}}`);
    expect(template.routes.map(({ path }) => path)).toEqual(['/good']);
    expect(allWarnings(template)).toEqual([
      'template.yaml: Resources.Typeless needs a Type; it is left out.',
      'Alias: Fn::Join takes a list of 2 or more; it is empty.',
      'F.Events.Broken.Path: Fn::Join takes a list of 2 or more; F.Events.Broken is left out.',
      'F.Events.Nothing is null, not an object with a Type; it is left out.',
      'Api: Mappings has no Not.a.map; Api has only default values.',
      'Api.DefinitionBody/broken: Fn::Join takes a list of 2 or more; its routes are left out.',
      'Api.DefinitionBody/no is null, not an object; its routes are left out.',
      'Method: Fn::Select asks for an item that the list does not have; it is left out.',
      'Rule: Fn::Split takes a list of 2 or more; it is left out.',
    ]);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('%s is a name like any other', (name) => {
    const { functions } = read(`
Parameters: {${name}: {Type: String, Default: x}}
Resources:
  ${name}2: {Type: ${name}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Layers: [!Ref ${name}]
      Environment:
        Variables: {P: !Ref ${name}, R: !Sub '\${${name}2}', N: !GetAtt ${name}.${name}, M: !FindInMap [${name}, a, b, {DefaultValue: d}]}`);
    expect(functions[0]?.environmentVariables).toEqual({ P: 'x', R: `${name}2`, N: `${name}.${name}`, M: 'd' });
    const { functions: unknown } = read(fn(`Environment: {Variables: {A: !Sub '\${${name}}'}}`));
    expect(unknown[0]?.environmentVariables).toEqual({ A: name });
  });

  test('any tree of known words is read or refused', () => {
    const word = fc.constantFrom(
      ...['Ref', 'Fn::GetAtt', 'Fn::Sub', 'Fn::If', 'Fn::Join', 'Fn::ForEach::X', 'Fn::Transform', 'Condition'],
      ...[
        'Type',
        'Properties',
        'Events',
        'Environment',
        'Variables',
        'Layers',
        'Metadata',
        'FunctionUrlConfig',
        'Tags',
      ],
      ...['DefinitionBody', 'paths', 'Auth', 'Authorizers', 'Policies', 'Name', 'F', 'constructor', '__proto__'],
      ...['AWS::Serverless::Function', 'AWS::Serverless::Api', 'AWS::Lambda::Alias', 'AWS::Events::Rule', 'Schedule'],
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5, depthSize: 'large' },
        fc.oneof(word, fc.integer(), fc.constant(null), fc.boolean()),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(word, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const sections = ['Resources', 'Parameters', 'Conditions', 'Mappings', 'Globals', 'Transform'];
    const resource = fc.record(
      { Type: word, Properties: tree, Condition: tree, Metadata: tree },
      { requiredKeys: ['Type'] },
    );
    const template = fc.record(
      Object.fromEntries(sections.map((key) => [key, key === 'Resources' ? fc.dictionary(word, resource) : tree])),
    );
    fc.assert(
      fc.property(template, (value) => {
        try {
          read(JSON.stringify(value));
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'SettingInvalid' });
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a file that does not exist', () => {
    expect(() => readTemplate('/nowhere/template.yaml', OPTIONS)).toThrow(
      'there is no template /nowhere/template.yaml; name one with --template',
    );
  });
});

describe('templates in JSON', () => {
  test('give the same as in YAML', () => {
    const yaml = `Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, CodeUri: !Sub "\${AWS::Region}"}}}`;
    const json = JSON.stringify(parseTemplateText(yaml, 't.yaml'));
    expect(parseTemplate(json, '/project/t.json', OPTIONS).functions).toEqual(read(yaml).functions);
    expect(() => parseTemplate('{', '/project/t.json', OPTIONS)).toThrow(/^\/project\/t.json:1:\d+: /);
  });

  test('any JSON text is valid YAML too', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
        (map) => {
          expect(parseTemplateText(JSON.stringify(map), 't.yaml')).toEqual(JSON.parse(JSON.stringify(map)));
        },
      ),
    );
  });
});

describe('Globals', () => {
  const ref = { Ref: 'X' };
  test.each<[string, JsonValue, JsonValue, JsonValue]>([
    ['scalars are replaced', 3, 5, 5],
    ['maps are merged recursively', { a: { b: 1, c: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
    ['lists are appended', ['g'], ['o'], ['g', 'o']],
    ['intrinsic functions are values', { a: 1 }, ref, ref],
    ['also as the global one', ref, { a: 1 }, { a: 1 }],
    ['different types are replaced', { a: 1 }, ['x'], ['x']],
  ])('%s', (_rule, global, own, merged) => {
    expect(mergeGlobals({ P: global, Q: 1 } as JsonObject, { P: own } as JsonObject)).toEqual({ P: merged, Q: 1 });
  });
});

test('parameter overrides may have both of sam’s spellings', () => {
  expect(parseParameterOverrides(['Stage=prod Other="two words"', 'ParameterKey=A,ParameterValue=b'])).toEqual({
    Stage: 'prod',
    Other: 'two words',
    A: 'b',
  });
  for (const text of ['nonsense', '', 'Stage=two words']) {
    expect(() => parseParameterOverrides([text])).toThrow('write it as Key=Value');
  }
  const { functions, warnings } = read(
    'Parameters: {T: {Type: Number, Default: 1}}\nResources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, Timeout: !Ref T}}}',
    { T: '9', Typo: '1' },
  );
  expect(functions[0]?.timeoutMs).toBe(9000);
  expect(warnings).toEqual(['The template has no parameter Typo; its value is not used.']);
});
