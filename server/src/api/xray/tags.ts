import * as z from 'zod';

const MAX_TAGS = 50;
const TAG_PATTERN = /^[\p{L}\p{N}\p{Z}_.:/=+\-@]*$/u;

const tag = z.object({
  Key: z
    .string()
    .min(1)
    .max(128)
    .regex(TAG_PATTERN)
    .refine((key) => !key.toLowerCase().startsWith('aws:'), 'Keys of tags must not begin with aws:'),
  Value: z.string().max(256).regex(TAG_PATTERN),
});

/**
 * Tags of a resource, each key once.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-tagging.html
 */
export const tags = z
  .array(tag)
  .max(MAX_TAGS)
  .refine((all) => new Set(all.map(({ Key }) => Key)).size === all.length, 'Keys of tags must be unique');
