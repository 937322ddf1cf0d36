import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { epochSeconds, optional } from '../fields.ts';
import { operation } from '../operation.ts';

/**
 * PutTelemetryRecords: counters of a daemon. Validated and not stored: X-Ray has no operation that reads them.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_PutTelemetryRecords.html
 */
export const putTelemetryRecords = operation({
  name: 'PutTelemetryRecords',
  path: '/TelemetryRecords',
  input: z.object({
    TelemetryRecords: z.array(z.looseObject({ Timestamp: epochSeconds })),
    EC2InstanceId: optional(z.string()),
    Hostname: optional(z.string()),
    ResourceARN: optional(z.string()),
  }),
  async run({ TelemetryRecords: records }) {
    if (records.length === 0) throw new OpenrayError('InvalidRequestException', 'Telemetry records cannot be empty');
    return {};
  },
});
