/** Icons of nodes. */
export type NodeGlyph =
  | 'client'
  | 'lambda'
  | 'container'
  | 'server'
  | 'table'
  | 'database'
  | 'queue'
  | 'topic'
  | 'bucket'
  | 'gateway'
  | 'remote'
  | 'service';

type NodeKind = { readonly label: string; readonly glyph: NodeGlyph };

const NODE_KINDS: Readonly<Record<string, NodeKind>> = {
  client: { label: 'Client', glyph: 'client' },
  remote: { label: 'Remote', glyph: 'remote' },
  'AWS::Lambda': { label: 'Lambda context', glyph: 'lambda' },
  'AWS::Lambda::Function': { label: 'Lambda function', glyph: 'lambda' },
  'AWS::EC2::Instance': { label: 'EC2 instance', glyph: 'server' },
  'AWS::ECS::Container': { label: 'ECS container', glyph: 'container' },
  'AWS::ECS::EC2': { label: 'ECS on EC2', glyph: 'container' },
  'AWS::ECS::Fargate': { label: 'ECS on Fargate', glyph: 'container' },
  'AWS::EKS::Container': { label: 'EKS container', glyph: 'container' },
  'AWS::ElasticBeanstalk::Environment': { label: 'Elastic Beanstalk', glyph: 'server' },
  'AWS::AppRunner::Service': { label: 'App Runner service', glyph: 'container' },
  'AWS::ApiGateway::Stage': { label: 'API Gateway stage', glyph: 'gateway' },
  'AWS::AppSync::GraphQLAPI': { label: 'AppSync API', glyph: 'gateway' },
  'AWS::StepFunctions::StateMachine': { label: 'State machine', glyph: 'service' },
  'AWS::DynamoDB::Table': { label: 'DynamoDB table', glyph: 'table' },
  'AWS::S3::Bucket': { label: 'S3 bucket', glyph: 'bucket' },
  'AWS::SQS::Queue': { label: 'SQS queue', glyph: 'queue' },
  'AWS::SNS': { label: 'SNS topic', glyph: 'topic' },
  'AWS::SNS::Topic': { label: 'SNS topic', glyph: 'topic' },
  'Database::SQL': { label: 'SQL database', glyph: 'database' },
};

/** Label of a node's `Type`. A type without a label is shown as it is, without `AWS::`. */
export function nodeTypeLabel(type: string | null | undefined): string {
  if (type === null || type === undefined || type === '') return 'Service';
  return NODE_KINDS[type]?.label ?? type.replace(/^AWS::/, '').replaceAll('::', ' ');
}

export function nodeGlyph(type: string | null | undefined): NodeGlyph {
  if (type === null || type === undefined || type === '') return 'service';
  return (
    NODE_KINDS[type]?.glyph ??
    (type.startsWith('AWS::DynamoDB') ? 'table' : type.startsWith('Database') ? 'database' : 'service')
  );
}

/** The distinguishing part of a node's name: the queue of a queue URL, the topic of an ARN. */
export function shortNodeName(name: string, type: string | null): string {
  if (type === 'AWS::SQS::Queue') return name.slice(name.lastIndexOf('/') + 1) || name;
  if (name.startsWith('arn:')) return name.slice(name.lastIndexOf(':') + 1) || name;
  return name;
}
