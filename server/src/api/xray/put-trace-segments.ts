import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { acceptSegments } from '../../ingest/segments.ts';
import { DEFAULT_LIMITS } from '../../model/parse-document.ts';
import { operation } from '../operation.ts';

const MAX_DOCUMENTS = 50;

/**
 * PutTraceSegments: stores segment documents; an invalid one is reported and its neighbours are stored.
 * Responds once the valid ones are stored. Throws ThrottledException when the queue is full: then none is stored.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
 */
export const putTraceSegments = operation({
  name: 'PutTraceSegments',
  path: '/TraceSegments',
  storesDocuments: true,
  input: z.object({ TraceSegmentDocuments: z.array(z.string()) }),
  async run({ TraceSegmentDocuments: texts }, context) {
    if (texts.length === 0) throw new OpenrayError('InvalidRequestException', 'Segments can not be empty');
    if (texts.length > MAX_DOCUMENTS) {
      throw new OpenrayError('InvalidRequestException', `Exceeding maximum segment count: ${MAX_DOCUMENTS}`);
    }
    const limits = { ...DEFAULT_LIMITS, maxBytes: context.documentMaxBytes };
    const { stored, rejections } = acceptSegments(texts, 'http', { ...context, limits });
    await stored;
    return {
      UnprocessedTraceSegments: rejections.map(({ id = null, code, message }) => ({
        Id: id,
        ErrorCode: code,
        Message: message,
      })),
    };
  },
});
