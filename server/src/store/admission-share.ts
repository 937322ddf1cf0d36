/**
 * Part of `queueMaxBytes` from which on receivers read no further request. The rest is for requests with more rows than
 * estimated, so that one which was read is not refused again.
 */
export const ADMISSION_SHARE = 0.9;
