/** Levels of lists and maps inside one attribute. A span with more is rejected. */
export const MAX_VALUE_DEPTH = 32;

/** Messages, lists and values in one request. A span of eleven attributes has about thirty. */
export const MAX_VALUES = 6_000_000;
