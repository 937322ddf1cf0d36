import { parseJson } from '../../exact-json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { KIND, type Span } from '../../otlp-messages.ts';
import { plainOf } from '../any-value.ts';
import { type Attributes, consumeInteger, consumeText, firstText, textList } from './attributes.ts';
import { messagingService } from './call-namespace.ts';

type Members = { [key: string]: JsonValue | undefined };

/**
 * Members of X-Ray's `aws` that describe a call. AWS's own keys count on any span. Keys of general
 * conventions (`rpc.method`, `url.full`, `db.namespace`) count only if the call is known to be to AWS.
 */
export function awsCallOf(span: Span, attributes: Attributes, namespace: 'aws' | 'remote' | undefined): Members {
  const isAws = namespace === 'aws';
  if (!isAws && !attributes.families.aws) return {};
  return {
    operation: consumeText(attributes, 'aws.operation') ?? (isAws ? operationOf(span, attributes) : undefined),
    account_id: consumeText(attributes, 'aws.account_id', 'aws.remote.resource.account.id'),
    region: consumeText(
      attributes,
      'aws.region',
      ...(isAws ? ['cloud.region', 'aws.remote.resource.region', 'faas.invoked_region'] : []),
    ),
    request_id: consumeText(attributes, 'aws.request_id', 'aws.requestId', 'aws.request.id'),
    id_2: consumeText(attributes, 'aws.extended_request_id', 'aws.request.extended_id'),
    retries: consumeInteger(attributes, 'aws.xray.retries', ...(isAws ? ['http.request.resend_count'] : [])),
    ...resourceOf(attributes, isAws),
  };
}

/** Conventions for messages name no operation of AWS. */
const SEND_OPERATIONS: Readonly<Record<string, string>> = { SQS: 'SendMessage', SNS: 'Publish' };

/** The last part of `DynamoDB.PutItem` and `DynamoDB/PutItem`; the whole of a bare method. */
function operationOf({ name = '', kind }: Span, attributes: Attributes): string | undefined {
  const method = firstText(attributes, 'rpc.method');
  if (method === undefined) {
    const dot = name.indexOf('.');
    if (kind === KIND.producer) return SEND_OPERATIONS[messagingService(attributes) ?? ''];
    return dot > 0 && dot < name.length - 1 ? name.slice(dot + 1) : undefined;
  }
  const operation = method.slice(Math.max(method.lastIndexOf('/'), method.lastIndexOf('.')) + 1);
  if (operation === method) attributes.consumed.push('rpc.method');
  return operation === '' ? undefined : operation;
}

/** The called resource: X-Ray shows a table, bucket, queue, topic or function as a node of its own. */
function resourceOf(attributes: Attributes, isAws: boolean): Members {
  const service = messagingService(attributes) ?? firstText(attributes, 'rpc.service');
  const tables = tableNames(attributes, isAws && service?.toLowerCase() === 'dynamodb');
  return {
    queue_url:
      consumeText(attributes, 'aws.sqs.queue.url', 'aws.queue_url', 'aws.queue.url', 'messaging.url') ??
      (isAws && service === 'SQS' ? consumeText(attributes, 'url.full') : undefined),
    table_name: tables.length === 1 ? tables[0] : undefined,
    table_names: tables.length > 1 ? tables : undefined,
    bucket_name: consumeText(attributes, 'aws.s3.bucket'),
    key: consumeText(attributes, 'aws.s3.key'),
    topic_arn:
      consumeText(attributes, 'aws.sns.topic.arn') ?? (isAws && service === 'SNS' ? topicOf(attributes) : undefined),
    function_name: isAws ? consumeText(attributes, 'faas.invoked_name', 'aws.lambda.function.name') : undefined,
    stream_name: consumeText(attributes, 'aws.kinesis.stream_name', 'aws.kinesis.stream.name'),
    state_machine_arn: consumeText(attributes, 'aws.step_functions.state_machine.arn'),
    ...dynamoDbOf(attributes),
  };
}

function topicOf(attributes: Attributes): string | undefined {
  const destination = firstText(attributes, 'messaging.destination.name');
  return destination?.startsWith('arn:') ? consumeText(attributes, 'messaging.destination.name') : undefined;
}

function tableNames(attributes: Attributes, isDynamoDb: boolean): readonly string[] {
  const given = consumeText(attributes, 'aws.table_name', 'aws.table.name');
  if (given !== undefined) return [given];
  const listed = textList(attributes, 'aws.dynamodb.table_names');
  if (listed.length > 0) {
    attributes.consumed.push('aws.dynamodb.table_names');
    return listed;
  }
  const general = isDynamoDb ? consumeText(attributes, 'db.collection.name', 'db.namespace', 'db.name') : undefined;
  return general === undefined ? [] : [general];
}

const DYNAMODB = 'aws.dynamodb.';

/** `aws.dynamodb.consumed_capacity` and similar attributes. JSON texts are parsed. */
function dynamoDbOf(attributes: Attributes): JsonObject {
  const members: { [key: string]: JsonValue } = {};
  if (!attributes.families.aws) return members;
  for (const [key, value] of attributes.values) {
    if (!key.startsWith(DYNAMODB) || key === 'aws.dynamodb.table_names') continue;
    const member = key.slice(DYNAMODB.length).replaceAll('.', '_');
    if (member === '__proto__') continue;
    attributes.consumed.push(key);
    members[member] = parsedJson(plainOf(value));
  }
  return members;
}

function parsedJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(parsedJson);
  if (typeof value !== 'string' || !/^[{[]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}
