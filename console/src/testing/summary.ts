import type { WireTraceSummary } from 'openray/api-types';

type Given = Partial<WireTraceSummary> & {
  readonly user?: string;
  readonly annotations?: Readonly<Record<string, string | number | boolean>>;
};

/** Summary of a trace with one successful GET of 250 ms; given members replace others. */
export function aSummary({ user, annotations = {}, ...more }: Given = {}): WireTraceSummary {
  return {
    Id: '1-5f84c7a9-3c4d5e6f708192a3b4c5d6e7',
    StartTime: 1_600_000_000,
    Duration: 0.25,
    ResponseTime: 0.25,
    HasFault: false,
    HasError: false,
    HasThrottle: false,
    IsPartial: false,
    Http: { HttpURL: 'https://shop.example.com/', HttpStatus: 200, HttpMethod: 'GET', UserAgent: null, ClientIp: null },
    Annotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [key, [{ AnnotationValue: toWire(value), ServiceIds: null }]]),
    ),
    Users: user === undefined ? [] : [{ UserName: user, ServiceIds: null }],
    ServiceIds: [{ Name: 'shop', Names: ['shop'], AccountId: null, Type: null }],
    ResourceARNs: [],
    InstanceIds: [],
    AvailabilityZones: [],
    EntryPoint: { Name: 'shop', Names: ['shop'], AccountId: null, Type: null },
    FaultRootCauses: [],
    ErrorRootCauses: [],
    ResponseTimeRootCauses: [],
    Revision: 1,
    MatchedEventTime: null,
    AnyFault: false,
    AnyError: false,
    AnyThrottle: false,
    WorstOutcome: 'ok',
    SegmentCount: 1,
    SubsegmentCount: 0,
    ...more,
  };
}

function toWire(value: string | number | boolean) {
  return {
    NumberValue: typeof value === 'number' ? value : null,
    BooleanValue: typeof value === 'boolean' ? value : null,
    StringValue: typeof value === 'string' ? value : null,
  };
}
