import type { JsonObject } from '../../model/json.ts';

/** A template whose macros are expanded and whose intrinsic functions are not yet evaluated. */
export type RawTemplate = {
  readonly file: string;
  /** Base of relative paths. */
  readonly dir: string;
  /** By section: `Function`, `Api`, `HttpApi`. */
  readonly globals: JsonObject;
  /** Resources whose condition holds. */
  readonly resources: Readonly<Record<string, Resource>>;
};

export type Resource = {
  readonly type: string;
  readonly properties: JsonObject;
  readonly metadata: JsonObject;
};
