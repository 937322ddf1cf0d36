import { type Dataset, type GeneratedTrace, traceAt } from './generate.ts';
import { seededRandom } from './random.ts';

/** One call of the API, the check of its response, and the SQL that one would write by hand for the same query. */
export type Sample = {
  readonly path: string;
  readonly input: object;
  /** Throws when the response is wrong. */
  check(answer: unknown): void;
  readonly statements: readonly string[];
};

export type Question = {
  readonly name: string;
  readonly description: string;
  /** Each number gives another trace, user or order. */
  sample(number: number): Sample;
};

const PAGE_SIZE = 100;
/** Traces that are generated again to check a list; older traces are not checked. */
const MAX_LOOK_BACK = 20_000;

/** All queries on a loaded data set. */
export function questionsOf(dataset: Dataset): readonly Question[] {
  return [traceById(dataset), ...lists(dataset), serviceGraph(dataset)];
}

function traceById(dataset: Dataset): Question {
  return {
    name: 'trace',
    description: 'trace by id',
    sample(number) {
      const { traceId } = drawTrace(dataset, number);
      return {
        path: '/Traces',
        input: { TraceIds: [traceId] },
        check(answer) {
          const [found] = (answer as { Traces: readonly { Id: string; Segments: readonly object[] }[] }).Traces;
          if (found?.Id !== traceId || found.Segments.length === 0) throw new Error(`${traceId} was not found`);
        },
        statements: [`SELECT body FROM documents WHERE trace_id = unhex('${hexOf(traceId)}') ORDER BY seq`],
      };
    },
  };
}

function lists(dataset: Dataset): readonly Question[] {
  const list = (
    name: string,
    description: string,
    ask: (number: number) => Omit<ListQuestion, 'dataset'>,
  ): Question => ({
    name,
    description,
    sample: (number) => listSample({ dataset, ...ask(number) }),
  });
  const { entries } = dataset.fleet;
  return [
    list('list-newest', 'newest 100', () => ({ filter: undefined, matches: () => true, where: 'is_root' })),
    list('list-service-fault', 'newest 100 with a fault of one service', (number) => {
      const { name } = entries[number % Math.min(5, entries.length)] as { name: string };
      return {
        filter: `service("${name}") { fault = true }`,
        matches: ({ facts }) => facts.servicesWithFault.includes(name),
        where: `name = '${name}' AND is_segment AND fault`,
      };
    }),
    list('list-annotation-rare', 'newest 100 by an annotation, 10 traces have it', (number) => {
      const { userId } = drawTrace(dataset, number).facts;
      return {
        filter: `annotation.user_id = "${userId}"`,
        matches: ({ facts }) => facts.userId === userId,
        where: `has(attributes, 'annotation.user_id=${userId}')`,
      };
    }),
    list('list-annotation-common', 'newest 100 by an annotation, a fifth has it', () => ({
      filter: `annotation.tier = "gold"`,
      matches: ({ facts }) => facts.tier === 'gold',
      where: `has(attributes, 'annotation.tier=gold')`,
    })),
    list('list-metadata', 'newest 100 by metadata, one trace has it', (number) => {
      const { orderId } = drawTrace(dataset, number).facts;
      return {
        filter: `metadata.default.order_id = "${orderId}"`,
        matches: ({ facts }) => facts.orderId === orderId,
        where: `has(attributes, 'metadata.default.order_id=${orderId}')`,
      };
    }),
  ];
}

type ListQuestion = {
  readonly dataset: Dataset;
  readonly filter: string | undefined;
  readonly matches: (trace: GeneratedTrace) => boolean;
  /** Condition on rows of `entities`. */
  readonly where: string;
};

function listSample({ dataset, filter, matches, where }: ListQuestion): Sample {
  const { fromUs, toUs } = dataset;
  return {
    path: '/TraceSummaries',
    input: { ...windowOf(dataset), ...(filter !== undefined && { FilterExpression: filter }) },
    check(answer) {
      const found = (answer as { TraceSummaries: readonly { Id: string }[] }).TraceSummaries.map(({ Id }) => Id);
      const { traceIds, isComplete } = newestIds(dataset, matches, PAGE_SIZE);
      const compared = isComplete ? found : found.slice(0, traceIds.length);
      if (compared.join() !== traceIds.join()) {
        throw new Error(`${filter ?? 'the list'} gave ${found.length} traces, not the ${traceIds.length} newest`);
      }
    },
    statements: [
      `SELECT lower(hex(trace_id)) AS id, start_us, end_us, name, http_status FROM entities
       WHERE ${where} AND start_us >= ${fromUs} AND start_us < ${toUs}
       ORDER BY entities.start_us DESC LIMIT 1 BY trace_id LIMIT ${PAGE_SIZE}`,
    ],
  };
}

/** The newest matching traces, newest first; incomplete when MAX_LOOK_BACK traces were not enough. */
export function newestIds(
  dataset: Dataset,
  matches: (trace: GeneratedTrace) => boolean,
  count: number,
): { readonly traceIds: readonly string[]; readonly isComplete: boolean } {
  const traceIds: string[] = [];
  const end = Math.max(0, dataset.traceCount - MAX_LOOK_BACK);
  for (let index = dataset.traceCount - 1; index >= end && traceIds.length < count; index--) {
    const trace = traceAt(dataset, index);
    if (matches(trace)) traceIds.push(trace.traceId);
  }
  return { traceIds, isComplete: traceIds.length === count || end === 0 };
}

/** The time range of a data set as input of the API. */
export function windowOf({ fromUs, toUs }: Dataset): { readonly StartTime: number; readonly EndTime: number } {
  // A request counts at its end, and the last requests end after the last start.
  return { StartTime: fromUs / 1e6, EndTime: toUs / 1e6 + 60 };
}

type GraphService = {
  readonly ReferenceId: number;
  readonly Type?: string;
  readonly Edges: readonly { readonly SummaryStatistics?: { readonly TotalCount: number } }[];
};

function serviceGraph(dataset: Dataset): Question {
  const { fromUs, toUs } = dataset;
  const rows = `start_us >= ${fromUs} AND start_us < ${toUs}`;
  return {
    name: 'map',
    description: 'service graph of all traces',
    sample: () => ({
      path: '/ServiceGraph',
      input: windowOf(dataset),
      check(answer) {
        const { Services: services } = answer as { Services: readonly GraphService[] };
        const requests = services
          .filter(({ Type }) => Type === 'client')
          .flatMap(({ Edges }) => Edges)
          .reduce((sum, { SummaryStatistics }) => sum + (SummaryStatistics?.TotalCount ?? 0), 0);
        if (requests !== dataset.traceCount) {
          throw new Error(`the service graph has ${requests} requests of ${dataset.traceCount}`);
        }
      },
      statements: [
        `SELECT name, origin, count() AS total, countIf(fault) AS faults, countIf(error) AS errors,
           sum(duration_us) AS duration, quantilesTDigest(0.5, 0.9, 0.99)(duration_us) AS durations
         FROM entities WHERE is_segment AND ${rows} GROUP BY name, origin`,
        `SELECT caller.name AS source, called.name AS target, count() AS total, countIf(call.fault) AS faults
         FROM entities AS called
         JOIN entities AS call ON call.trace_id = called.trace_id AND call.id = called.parent_id
         JOIN entities AS caller ON caller.trace_id = call.trace_id AND caller.id = call.segment_id
         WHERE called.is_segment AND called.${rows} GROUP BY source, target`,
      ],
    }),
  };
}

function drawTrace(dataset: Dataset, number: number): GeneratedTrace {
  const random = seededRandom(dataset.seed + 1, number);
  return traceAt(dataset, random.below(dataset.traceCount));
}

/** `1-58406520-a006…` as the 32 hex digits in columns. */
const hexOf = (traceId: string) => traceId.slice(2).replace('-', '');
