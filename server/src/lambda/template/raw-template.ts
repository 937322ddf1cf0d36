import type { JsonObject } from '../../model/json.ts';

export type RawTemplate = {
  readonly file: string;
  /** Folder that relative paths start from. */
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
