import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';

export const handler = async ({ name }) => {
  const dynamodb = new DynamoDBClient();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await dynamodb.send(new PutItemCommand({ TableName: name, Item: { id: { S: '1' }, title: { S: 'from DynamoDB' } } }));
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: name, Key: { id: { S: '1' } } }));

  const s3 = new S3Client();
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(new PutObjectCommand({ Bucket: name, Key: 'a', Body: 'from S3' }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: name, Key: 'a' }));

  const ssm = new SSMClient();
  await ssm.send(new PutParameterCommand({ Name: name, Value: 'from SSM', Type: 'String' }));
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name }));

  const secrets = new SecretsManagerClient();
  await secrets.send(new CreateSecretCommand({ Name: name, SecretString: 'from Secrets Manager' }));
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));

  const sqs = new SQSClient();
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.DECLARED_QUEUE, MessageBody: 'stays with openray' }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'from SQS' }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));

  return [Item.title.S, await Body.transformToString(), Parameter.Value, SecretString, Messages[0].Body, QueueUrl];
};
