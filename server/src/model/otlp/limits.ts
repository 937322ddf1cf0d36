/** Levels of lists and maps inside one attribute. A span with more is refused: nobody reads that deep. */
export const MAX_VALUE_DEPTH = 32;
