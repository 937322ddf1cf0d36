import type {
  CloudFormationCustomResourceCreateEvent,
  CloudFormationCustomResourceDeleteEvent,
  CodeCommitTriggerEvent,
  CodePipelineEvent,
  ConnectContactFlowEvent,
  LexEvent,
  LexV2Event,
  PostConfirmationConfirmSignUpTriggerEvent,
  PreSignUpEmailTriggerEvent,
  S3BatchEvent,
  S3Event,
  S3EventRecord,
  SecretsManagerRotationEvent,
} from 'aws-lambda';
import { arnOf, PLACE, REQUEST_ID, type ServiceEvents, sampleEvent, TIME, TIME_IN_SECONDS } from './sample-event.ts';

const OBJECT = { region: PLACE.region, partition: PLACE.partition, bucket: 'example-bucket', key: 'test/key' };

/** S3 writes a key as a form does: `/` stays, and a space is a plus. */
const encodeKey = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');

type S3Object = S3EventRecord['s3']['object'];

function s3Event(
  eventName: string,
  content: Partial<Pick<S3Object, 'size' | 'eTag'>>,
  { region, partition, bucket, key }: Readonly<Record<keyof typeof OBJECT, string>>,
) {
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: TIME,
        eventName,
        userIdentity: { principalId: 'EXAMPLE' },
        requestParameters: { sourceIPAddress: '127.0.0.1' },
        responseElements: { 'x-amz-request-id': 'EXAMPLE123456789', 'x-amz-id-2': 'EXAMPLE123/5678abcdefghijk' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'testConfigRule',
          bucket: { name: bucket, ownerIdentity: { principalId: 'EXAMPLE' }, arn: `arn:${partition}:s3:::${bucket}` },
          // The object of a deletion has no size and no tag, which the types do not know.
          object: { key: encodeKey(key), ...content, sequencer: '0A1B2C3D4E5F678901' } as S3Object,
        },
      },
    ],
  } satisfies S3Event;
}

const objectCreated = sampleEvent('an object that is created', OBJECT, (options) =>
  s3Event('ObjectCreated:Put', { size: 1024, eTag: '0123456789abcdef0123456789abcdef' }, options),
);

export const s3: ServiceEvents = {
  put: objectCreated,
  delete: sampleEvent('an object that is deleted', OBJECT, (options) => s3Event('ObjectRemoved:Delete', {}, options)),
  'batch-invocation': sampleEvent(
    'an object of a batch operation',
    { partition: PLACE.partition, bucket: 'example-bucket', key: 'test/key' },
    ({ partition, bucket, key }) =>
      ({
        invocationSchemaVersion: '1.0',
        invocationId: 'YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo',
        job: { id: 'f3cc4f60-61f6-4a2b-8a21-d07600c373ce' },
        tasks: [
          {
            taskId: 'dGFza2lkZ29lc2hlcmUK',
            s3Key: encodeKey(key),
            s3VersionId: null,
            s3BucketArn: `arn:${partition}:s3:::${bucket}`,
          },
        ],
      }) satisfies S3BatchEvent,
  ),
};

const CUSTOM_RESOURCE = { ...PLACE, stack: 'MyStack', logicalResourceId: 'MyTestResource' };

function customResource({
  stack,
  logicalResourceId,
  ...place
}: Readonly<Record<keyof typeof CUSTOM_RESOURCE, string>>) {
  const ServiceToken = arnOf('lambda', place, 'function:example');
  return {
    ServiceToken,
    ResponseURL: 'http://pre-signed-S3-url-for-response',
    StackId: arnOf('cloudformation', place, `stack/${stack}/1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809`),
    RequestId: REQUEST_ID,
    LogicalResourceId: logicalResourceId,
    ResourceType: 'Custom::TestResource',
    ResourceProperties: { ServiceToken, StackName: stack, List: ['1', '2', '3'] },
  };
}

export const cloudformation: ServiceEvents = {
  'create-request': sampleEvent(
    'a custom resource that is created',
    CUSTOM_RESOURCE,
    (options) =>
      ({ RequestType: 'Create', ...customResource(options) }) satisfies CloudFormationCustomResourceCreateEvent,
  ),
  'delete-request': sampleEvent(
    'a custom resource that is deleted',
    CUSTOM_RESOURCE,
    (options) =>
      ({
        RequestType: 'Delete',
        ...customResource(options),
        PhysicalResourceId: 'custom-resource-1',
      }) satisfies CloudFormationCustomResourceDeleteEvent,
  ),
};

export const codecommit: ServiceEvents = {
  repository: sampleEvent(
    'a push to a repository',
    { ...PLACE, repository: 'my-repo', trigger: 'my-trigger', customData: 'this is custom data' },
    ({ repository, trigger, customData, ...place }) =>
      ({
        Records: [
          {
            awsRegion: place.region,
            codecommit: {
              references: [{ commit: '5c4ef1049f1d27deadbeeff313e0730018be182b', ref: 'refs/heads/main' }],
            },
            customData,
            eventId: '5a824061-17ca-46a9-bbf9-114edeadbeef',
            eventName: 'ReferenceChanges',
            eventPartNumber: 1,
            eventSource: 'aws:codecommit',
            eventSourceARN: arnOf('codecommit', place, repository),
            eventTime: TIME_IN_SECONDS,
            eventTotalParts: 1,
            eventTriggerConfigId: '5a824061-17ca-46a9-bbf9-114edeadbeef',
            eventTriggerName: trigger,
            eventVersion: '1.0',
            userIdentityARN: `arn:${place.partition}:iam::${place.accountId}:root`,
          },
        ],
      }) satisfies CodeCommitTriggerEvent,
  ),
};

export const codepipeline: ServiceEvents = {
  job: sampleEvent(
    'a job that a function runs',
    {
      accountId: PLACE.accountId,
      inputBucket: 'example-bucket',
      inputKey: 'test/key',
      outputBucket: 'example-bucket2',
      outputKey: 'test/key2',
    },
    ({ accountId, inputBucket, inputKey, outputBucket, outputKey }) => {
      const artifact = (name: string, bucketName: string, objectKey: string) => ({
        name,
        revision: null,
        location: { type: 'S3' as const, s3Location: { bucketName, objectKey } },
      });
      return {
        'CodePipeline.job': {
          id: REQUEST_ID,
          accountId,
          data: {
            actionConfiguration: { configuration: { FunctionName: 'my-function', UserParameters: 'user-parameters' } },
            inputArtifacts: [artifact('input', inputBucket, inputKey)],
            outputArtifacts: [artifact('output', outputBucket, outputKey)],
            artifactCredentials: { accessKeyId: 'EXAMPLE', secretAccessKey: 'EXAMPLE', sessionToken: 'EXAMPLE' },
            continuationToken: 'continuation-token',
          },
        },
      } satisfies CodePipelineEvent;
    },
  ),
};

const RULE = { ...PLACE, rule: 'example-rule' };

const configEvent = (invokingEvent: object, { rule, ...place }: Readonly<Record<keyof typeof RULE, string>>) => ({
  version: '1.0',
  invokingEvent: JSON.stringify(invokingEvent),
  ruleParameters: JSON.stringify({ myParameterKey: 'myParameterValue' }),
  resultToken: 'myResultToken',
  eventLeftScope: false,
  executionRoleArn: `arn:${place.partition}:iam::${place.accountId}:role/config-role`,
  configRuleArn: arnOf('config', place, 'config-rule/config-rule-0123456'),
  configRuleName: rule,
  configRuleId: 'config-rule-0123456',
  accountId: place.accountId,
});

/** @see https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html */
export const config: ServiceEvents = {
  'item-change-notification': sampleEvent('a resource that has changed', RULE, (options) =>
    configEvent(
      {
        configurationItem: {
          configurationItemCaptureTime: TIME,
          configurationStateId: 0,
          awsAccountId: options.accountId,
          configurationItemStatus: 'OK',
          resourceType: 'AWS::EC2::Instance',
          resourceId: 'i-00000000',
          ARN: arnOf('ec2', options, 'instance/i-00000000'),
          awsRegion: options.region,
          availabilityZone: `${options.region}a`,
          configurationStateMd5Hash: '8f1ee69b287895a0f8bc5753eca68e96',
          resourceCreationTime: TIME,
          tags: { Foo: 'Bar' },
          configuration: { instanceId: 'i-00000000' },
        },
        messageType: 'ConfigurationItemChangeNotification',
      },
      options,
    ),
  ),
  'oversized-item-change-notification': sampleEvent('a change that is too large for an event', RULE, (options) =>
    configEvent(
      {
        configurationItemSummary: {
          changeType: 'UPDATE',
          configurationItemVersion: '1.3',
          configurationItemCaptureTime: TIME,
          configurationStateId: 0,
          awsAccountId: options.accountId,
          configurationItemStatus: 'OK',
          resourceType: 'AWS::EC2::Instance',
          resourceId: 'i-00000000',
          resourceName: null,
          ARN: arnOf('ec2', options, 'instance/i-00000000'),
          awsRegion: options.region,
          availabilityZone: `${options.region}a`,
          configurationStateMd5Hash: '8f1ee69b287895a0f8bc5753eca68e96',
          resourceCreationTime: TIME,
        },
        messageType: 'OversizedConfigurationItemChangeNotification',
        notificationCreationTime: TIME,
        recordVersion: '1.0',
      },
      options,
    ),
  ),
  'periodic-rule': sampleEvent('a rule with a schedule', RULE, (options) =>
    configEvent(
      {
        awsAccountId: options.accountId,
        notificationCreationTime: TIME,
        messageType: 'ScheduledNotification',
        recordVersion: '1.0',
      },
      options,
    ),
  ),
};

const USER = {
  region: PLACE.region,
  userPoolId: 'us-east-1_aaaaaaaaa',
  userName: 'johndoe',
  email: 'johndoe@example.com',
};

const userPoolEvent = <Source extends string>(
  triggerSource: Source,
  { region, userPoolId, userName }: Readonly<Record<keyof typeof USER, string>>,
) => ({
  version: '1',
  region,
  userPoolId,
  triggerSource,
  userName,
  callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: '7u0s2h8bexample' },
});

export const cognito: ServiceEvents = {
  'pre-sign-up': sampleEvent(
    'a user who signs up to a user pool',
    USER,
    (options) =>
      ({
        ...userPoolEvent('PreSignUp_SignUp', options),
        request: { userAttributes: { email: options.email }, validationData: {} },
        response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
      }) satisfies PreSignUpEmailTriggerEvent,
  ),
  'post-confirmation': sampleEvent(
    'a user who has confirmed the address',
    USER,
    (options) =>
      ({
        ...userPoolEvent('PostConfirmation_ConfirmSignUp', options),
        request: {
          userAttributes: {
            sub: REQUEST_ID,
            'cognito:user_status': 'CONFIRMED',
            email_verified: 'true',
            email: options.email,
          },
        },
        response: {},
      }) satisfies PostConfirmationConfirmSignUpTriggerEvent,
  ),
  /** @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-events.html */
  'sync-trigger': sampleEvent('a data set of Cognito Sync', { region: PLACE.region }, ({ region }) => ({
    version: 2,
    eventType: 'SyncTrigger',
    region,
    identityPoolId: `${region}:6f1a5b2c-0000-0000-0000-000000000000`,
    identityId: `${region}:0e6c8b1d-0000-0000-0000-000000000000`,
    datasetName: 'datasetName',
    datasetRecords: { SampleKey1: { oldValue: 'oldValue1', newValue: 'newValue1', op: 'replace' } },
  })),
};

export const connect: ServiceEvents = {
  'contact-flow-event': sampleEvent(
    'a contact flow that calls a function',
    { ...PLACE, contactId: '5ca32fbd-8f92-46af-92a5-6b0f970f0efe', phoneNumber: '+11234567890' },
    ({ contactId, phoneNumber, ...place }) =>
      ({
        Name: 'ContactFlowEvent',
        Details: {
          ContactData: {
            Attributes: {},
            Channel: 'VOICE',
            ContactId: contactId,
            CustomerEndpoint: { Address: phoneNumber, Type: 'TELEPHONE_NUMBER' },
            InitialContactId: contactId,
            InitiationMethod: 'INBOUND',
            InstanceARN: arnOf('connect', place, 'instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa'),
            MediaStreams: { Customer: { Audio: null } },
            PreviousContactId: contactId,
            Queue: null,
            SystemEndpoint: { Address: '+11234567899', Type: 'TELEPHONE_NUMBER' },
          },
          Parameters: {},
        },
      }) satisfies ConnectContactFlowEvent,
  ),
};

const BOOKING = { Location: 'Chicago', CheckInDate: '2030-11-08', Nights: '4', RoomType: 'queen' };

export const lex: ServiceEvents = {
  'book-hotel': sampleEvent(
    'an intent of a bot (Lex V1)',
    { bot: 'BookTrip', intent: 'BookHotel', userId: 'John' },
    ({ bot, intent, userId }) =>
      ({
        messageVersion: '1.0',
        invocationSource: 'DialogCodeHook',
        userId,
        sessionAttributes: {},
        requestAttributes: null,
        bot: { name: bot, alias: '$LATEST', version: '$LATEST' },
        outputDialogMode: 'Text',
        inputTranscript: 'Book a hotel in Chicago',
        currentIntent: { name: intent, slots: BOOKING, slotDetails: {}, confirmationStatus: 'None' },
      }) satisfies LexEvent,
  ),
};

export const lexV2: ServiceEvents = {
  'book-hotel': sampleEvent(
    'an intent of a bot (Lex V2)',
    { bot: 'BookTrip', intent: 'BookHotel', sessionId: '123456789012' },
    ({ bot, intent: name, sessionId }) => {
      const slots = Object.fromEntries(
        Object.entries(BOOKING).map(([slot, value]) => [
          slot,
          {
            shape: 'Scalar' as const,
            value: { originalValue: value, interpretedValue: value, resolvedValues: [value] },
          },
        ]),
      );
      const intent = { name, slots, state: 'InProgress' as const, confirmationState: 'None' as const };
      return {
        messageVersion: '1.0',
        invocationSource: 'DialogCodeHook',
        inputMode: 'Text',
        responseContentType: 'text/plain; charset=utf-8',
        sessionId,
        inputTranscript: 'Book a hotel in Chicago',
        bot: {
          id: 'QKEXAMPLE1',
          name: bot,
          aliasId: 'TSTALIASID',
          aliasName: 'TestBotAlias',
          localeId: 'en_US',
          version: 'DRAFT',
        },
        interpretations: [{ intent, nluConfidence: 0.95 }],
        proposedNextState: { dialogAction: { type: 'Delegate' }, intent },
        sessionState: { sessionAttributes: {}, intent, originatingRequestId: REQUEST_ID },
        transcriptions: [
          {
            transcription: 'Book a hotel in Chicago',
            transcriptionConfidence: 1,
            resolvedContext: { intent: name },
            resolvedSlots: {},
          },
        ],
      } satisfies LexV2Event;
    },
  ),
};

export const rekognition: ServiceEvents = { 's3-request': objectCreated };

const LABELING = { ...PLACE, labelingJobName: 'example-job' };

/** @see https://docs.aws.amazon.com/sagemaker/latest/dg/sms-custom-templates-step3-lambda-requirements.html */
export const sagemaker: ServiceEvents = {
  'ground-truth-pre-human': sampleEvent(
    'an object for the workers of a labeling job',
    { ...LABELING, sourceRef: 's3://sagemakerexample/object_to_annotate.jpg' },
    ({ labelingJobName, sourceRef, ...place }) => ({
      version: '2018-10-16',
      labelingJobArn: arnOf('sagemaker', place, `labeling-job/${labelingJobName}`),
      dataObject: { 'source-ref': sourceRef },
    }),
  ),
  'ground-truth-annotation-consolidation': sampleEvent(
    'the annotations of the workers of a labeling job',
    {
      ...LABELING,
      labelAttributeName: 'example-attribute',
      s3OutputPath: 's3://sagemakerexample/output',
      executionRole: 'sagemaker-role',
    },
    ({ labelingJobName, labelAttributeName, s3OutputPath, executionRole, ...place }) => ({
      version: '2018-10-16',
      labelingJobArn: arnOf('sagemaker', place, `labeling-job/${labelingJobName}`),
      labelCategories: ['cat', 'dog'],
      labelAttributeName,
      roleArn: `arn:${place.partition}:iam::${place.accountId}:role/${executionRole}`,
      payload: {
        s3Uri: `${s3OutputPath}/annotations/consolidated-annotation/consolidation-request/iteration-1/0.json`,
      },
    }),
  ),
};

export const secretsmanager: ServiceEvents = {
  rotate: sampleEvent(
    'a step of the rotation of a secret',
    { ...PLACE, secret: 'MySecret', step: 'createSecret' },
    ({ secret, step, ...place }) =>
      ({
        Step: step as SecretsManagerRotationEvent['Step'],
        SecretId: arnOf('secretsmanager', place, `secret:${secret}-a1b2c3`),
        ClientRequestToken: REQUEST_ID,
      }) satisfies SecretsManagerRotationEvent,
  ),
};

export const stepfunctions: ServiceEvents = {
  error: sampleEvent(
    'an error that a state machine has caught',
    { error: 'Lambda.Unknown', cause: 'an example' },
    ({ error, cause }) => ({
      Error: error,
      Cause: JSON.stringify({ errorMessage: cause, errorType: 'Error' }),
    }),
  ),
};

/** Batch passes a job to a function as it is, through EventBridge. */
export const batch: ServiceEvents = {
  'submit-job': sampleEvent(
    'a job for the queue of AWS Batch',
    { jobName: 'my-job', jobDefinition: 'my-job-definition', jobQueue: 'my-job-queue' },
    ({ jobName, jobDefinition, jobQueue }) => ({ jobName, jobDefinition, jobQueue, parameters: {} }),
  ),
};
