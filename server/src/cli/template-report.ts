import { existsSync } from 'node:fs';
import { samBuildTemplate } from '../lambda/build/build.ts';
import { codeProblem } from '../lambda/build/code-problem.ts';
import { allWarnings, type Template } from '../lambda/template/template.ts';

/** The parts of a template that openray runs, and those that it does not run. */
export type TemplateReport = {
  readonly file: string;
  readonly functions: readonly FunctionReport[];
  /** Of APIs and function URLs. */
  readonly routes: readonly { readonly method: string; readonly path: string; readonly functionId: string }[];
  /** Names or ARNs: `queue Orders → Consumer`. */
  readonly flows: readonly { readonly from: string; readonly to: string }[];
  readonly schedules: readonly { readonly name: string; readonly expression: string; readonly to: readonly string[] }[];
  /** Resources that run only on AWS, or in another emulator, by type. */
  readonly notRun: readonly { readonly type: string; readonly logicalIds: readonly string[] }[];
  readonly warnings: readonly string[];
};

export type FunctionReport = {
  readonly logicalId: string;
  readonly runtime: string;
  /** A sentence; undefined when the function runs. */
  readonly problem: string | undefined;
};

/** Types that openray runs, and types that have no effect on a laptop: permissions, logs, metadata. */
const RUN_TYPES = [
  /^AWS::Serverless::(Function|Api|HttpApi|LayerVersion)$/,
  /^AWS::(Lambda|ApiGateway|ApiGatewayV2|IAM|Logs|CDK)::/,
  /^AWS::(SQS::Queue|SNS::Topic|SNS::Subscription|Events::Rule|Events::EventBus|Scheduler::Schedule)$/,
  /^AWS::(SQS::QueuePolicy|SNS::TopicPolicy|CloudWatch::Alarm|CloudWatch::Dashboard|XRay::.*)$/,
];

/** `flagWarnings` are about the command line. */
export function reportTemplate(template: Template, flagWarnings: readonly string[] = []): TemplateReport {
  const { file, functions, routes, services, resources } = template;
  const isBuilt = existsSync(file) && samBuildTemplate(file) !== undefined;
  const byType = new Map<string, string[]>();
  for (const { logicalId, type } of resources) {
    if (RUN_TYPES.some((pattern) => pattern.test(type))) continue;
    byType.set(type, [...(byType.get(type) ?? []), logicalId]);
  }
  return {
    file,
    functions: functions.map((spec) => ({
      logicalId: spec.logicalId,
      runtime: spec.runtime,
      problem: spec.unsupportedReason ?? codeProblem(spec, isBuilt),
    })),
    routes: routes.flatMap(({ api, method, path, target }) => {
      if (target.kind === 'fixed') return [];
      const shown = api.kind === 'url' ? `function URL of ${target.functionId}` : path;
      return [{ method, path: shown, functionId: target.functionId }];
    }),
    flows: [
      ...services.queueSources.map(({ queueArn, functionId }) => ({
        from: `queue ${nameOf(queueArn)}`,
        to: functionId,
      })),
      ...services.subscriptions.map(({ topicArn, targetArn }) => ({
        from: `topic ${nameOf(topicArn)}`,
        to: nameOf(targetArn),
      })),
      ...services.rules.flatMap(({ bus, targets }) =>
        targets.map(({ arn }) => ({ from: `rule of the bus ${bus}`, to: nameOf(arn) })),
      ),
    ],
    schedules: services.schedules.map(({ name, text, targets }) => ({
      name,
      expression: text,
      to: targets.map(({ arn }) => nameOf(arn)),
    })),
    notRun: [...byType].map(([type, logicalIds]) => ({ type, logicalIds })),
    warnings: [...allWarnings(template), ...flagWarnings],
  };
}

/** The report as text for people, with an empty line between its sections. */
export function renderReport(report: TemplateReport): string {
  const sections = [
    section(
      'Functions',
      report.functions.map(({ logicalId, runtime, problem }) =>
        problem === undefined ? `${logicalId} (${runtime}) runs` : `${logicalId} does not run: ${problem}`,
      ),
    ),
    section(
      'Routes, with openray start-api',
      report.routes.map(({ method, path, functionId }) => `${method} ${path} → ${functionId}`),
    ),
    section(
      'Queues, topics and rules',
      report.flows.map(({ from, to }) => `${from} → ${to}`),
    ),
    section(
      'Schedules, with --lambda-schedules true',
      report.schedules.map(({ name, expression, to }) => `${name} ${expression} → ${to.join(', ')}`),
    ),
    section(
      'Resources that openray does not run',
      report.notRun.map(({ type, logicalIds }) => `${type}: ${logicalIds.join(', ')}`),
    ),
    section('Warnings', report.warnings),
  ];
  return [report.file, ...sections.filter((text) => text !== '')].join('\n\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** The last part of an ARN or a URL. */
function nameOf(arn: string): string {
  return arn.split(/[:/]/).at(-1) ?? arn;
}
