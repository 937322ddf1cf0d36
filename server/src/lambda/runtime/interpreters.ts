export type Interpreters = {
  /** Program for `nodejs*`; by default the Node that runs openray. */
  readonly nodePath: string;
  /** Program for `python3*`; when undefined, the first of: the active virtual environment, `python3.N`, `python3`. */
  readonly pythonPath: string | undefined;
  /** Folder with openray's runtime clients, `node/` and `python/`. */
  readonly runtimesDir: string;
  /** Where `openray runtime install` puts the packages that Lambda's runtimes bring; looked into last. */
  readonly packagesDir?: string | undefined;
  /** Makes the function wait for a debugger before any of its code runs. */
  readonly debug?: DebugOptions | undefined;
  /** Variables of the host; `PATH`, `VIRTUAL_ENV`, `JAVA_HOME` and `HOME` are read. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
};

export type DebugOptions = {
  readonly port: number;
  /** Further arguments of the interpreter. */
  readonly args: readonly string[];
  /** Logical id; undefined for every function. */
  readonly functionId: string | undefined;
};

export type RuntimeCommand =
  | {
      readonly ok: true;
      readonly command: readonly string[];
      readonly runtimeDir: string;
      /** A sentence to show to the user once. */
      readonly warning: string | undefined;
    }
  /** The function cannot be started; `reason` is a sentence for the user. */
  | { readonly ok: false; readonly reason: string };

/** The code of a function, ready to run. */
export type RunnableCode = {
  readonly codeDir: string;
  /** Folders and jars of a Java function. */
  readonly classPath?: readonly string[] | undefined;
};

/** Variables of the customer that have a part in the command. */
export type StartVariables = {
  /** AWS_LAMBDA_EXEC_WRAPPER, as a path of this machine. */
  readonly wrapper: string | undefined;
  readonly javaToolOptions: string | undefined;
};

/** The debugger's options when it attaches to this function. */
export function debugOf(logicalId: string, { debug }: Pick<Interpreters, 'debug'>): DebugOptions | undefined {
  return debug === undefined || (debug.functionId ?? logicalId) === logicalId ? debug : undefined;
}
