import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A program of this folder in its own process, which answers one request at a time. */
export type ChildProgram<Request extends { readonly kind: string }> = {
  ask<Answer>(request: Request): Promise<Answer>;
  /** Kills the process and waits for its end. */
  stop(): Promise<void>;
};

export function startProgram<Request extends { readonly kind: string }>(path: string): ChildProgram<Request> {
  const child = fork(path, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  return {
    ask: (request) => ask(child, request),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function ask<Answer>(child: ChildProcess, request: { readonly kind: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`a program of the benchmark ended during ${request.kind}`));
    child.once('exit', onExit);
    child.once('message', (answer: { value: Answer } | { failure: string }) => {
      child.off('exit', onExit);
      if ('failure' in answer) reject(new Error(`${request.kind}: ${answer.failure}`));
      else resolve(answer.value);
    });
    child.send(request);
  });
}

/** In the program: answers the requests of its parent process, and ends with it. */
export function answerRequests<Request>(answer: (request: Request) => Promise<unknown>): void {
  process.on('message', (request: Request) => {
    answer(request).then(
      (value) => process.send?.({ value }),
      (reason: unknown) => process.send?.({ failure: reason instanceof Error ? reason.message : String(reason) }),
    );
  });
  process.once('disconnect', () => process.exit());
}
