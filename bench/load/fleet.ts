import { seededRandom } from './random.ts';

/** A generated service and the services that it calls. */
export type Service = {
  readonly name: string;
  readonly origin: 'AWS::ECS::Container' | 'AWS::EC2::Instance' | 'AWS::EKS::Container' | 'AWS::Lambda';
  readonly version: string;
  readonly pods: readonly string[];
  readonly routes: readonly string[];
  readonly table: string;
  readonly queue: string;
  readonly database: string;
  /** Called services: always in a deeper layer, so that there are no cycles. */
  readonly callees: readonly Service[];
};

export type Fleet = {
  /** Services that receive requests of users. The first ones have the most traffic. */
  readonly entries: readonly Service[];
  readonly services: readonly Service[];
};

const DOMAINS =
  'checkout cart catalog search payment invoice shipping stock account login profile review rating coupon price tax address email message report audit export image video feed'.split(
    ' ',
  );
const ROLES = ['web', 'api', 'worker', 'store', 'cache', 'events', 'sync', 'batch'];
const ORIGINS = ['AWS::ECS::Container', 'AWS::EC2::Instance', 'AWS::EKS::Container', 'AWS::Lambda'] as const;
const CALLEES = 4;

/**
 * Makes `count` services in three layers: a tenth are entries, half of the rest are the middle layer, the others the
 * last. Each service calls a few fixed services of the next layer, so that the service graph is not complete.
 */
export function makeFleet(count: number, seed: number): Fleet {
  const entryCount = Math.max(1, Math.round(count / 10));
  const middleCount = Math.max(1, Math.round((count - entryCount) / 2));
  const layer = (from: number, size: number, deeper: readonly Service[]) =>
    Array.from({ length: size }, (_, index) => makeService(from + index, seed, deeper));
  const last = layer(entryCount + middleCount, Math.max(1, count - entryCount - middleCount), []);
  const middle = layer(entryCount, middleCount, last);
  const entries = layer(0, entryCount, middle);
  return { entries, services: [...entries, ...middle, ...last] };
}

function makeService(index: number, seed: number, candidates: readonly Service[]): Service {
  const random = seededRandom(seed, -1 - index);
  const domain = DOMAINS[index % DOMAINS.length] as string;
  const role = ROLES[Math.floor(index / DOMAINS.length) % ROLES.length] as string;
  const round = Math.floor(index / (DOMAINS.length * ROLES.length));
  const name = round === 0 ? `${domain}-${role}` : `${domain}-${role}-${round}`;
  const callees = new Set<Service>();
  while (callees.size < Math.min(CALLEES, candidates.length)) callees.add(random.pick(candidates));
  return {
    name,
    origin: random.pick(ORIGINS),
    version: `${1 + random.below(9)}.${random.below(20)}.${random.below(10)}`,
    pods: Array.from({ length: 8 }, () => `${name}-${random.hex(8)}`),
    routes: Array.from({ length: 6 }, (_, route) => `/${domain}/${role}/${route}`),
    table: `${domain}-${random.pick(['items', 'orders', 'state'])}`,
    queue: `https://sqs.eu-west-1.amazonaws.com/000000000000/${domain}-events`,
    database: `${domain}@db.${domain}.internal`,
    callees: [...callees],
  };
}
