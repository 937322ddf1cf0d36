import { Agent, request } from 'node:http';
import { loadavg } from 'node:os';

export type InvokeLoad = {
  readonly callers: number;
  readonly perSecond: number;
  /** 99th percentile of the time that a caller waits. */
  readonly p99Ms: number;
  readonly failures: number;
  /** Mean of the runnable processes in the last minute: other work on the machine shows here. */
  readonly machineLoad: number;
};

const SECONDS = 5;
const MIN_WARM_UP_MS = 1000;

/**
 * Calls the Invoke API in a loop from so many callers, each on a connection of its own. Measures from the moment when
 * each caller has had a response, so that cold starts are over.
 */
export async function invokeLoad(serverUrl: string, functionName: string, callers: number): Promise<InvokeLoad> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const url = `${serverUrl}/2015-03-31/functions/${functionName}/invocations`;
  const beganMs = performance.now();
  let measuredFromMs = Number.POSITIVE_INFINITY;
  let warmCallers = 0;
  const tookMs: number[] = [];
  let failures = 0;
  const call = async () => {
    await invoke(url, agent);
    warmCallers++;
    if (warmCallers === callers) measuredFromMs = Math.max(performance.now(), beganMs + MIN_WARM_UP_MS);
    while (performance.now() < measuredFromMs + SECONDS * 1000) {
      const sentMs = performance.now();
      const isOk = await invoke(url, agent);
      if (!isOk) failures++;
      else if (sentMs >= measuredFromMs) tookMs.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const seconds = (performance.now() - measuredFromMs) / 1000;
  agent.destroy();
  tookMs.sort((a, b) => a - b);
  return {
    callers,
    perSecond: tookMs.length / seconds,
    p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? Number.NaN,
    failures,
    machineLoad: loadavg()[0] ?? Number.NaN,
  };
}

/** Whether the function answered without an error. */
function invoke(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve(response.statusCode === 200 && response.headers['x-amz-function-error'] === undefined),
      );
      response.on('error', () => resolve(false));
    });
    sent.on('error', () => resolve(false));
    sent.end('{}');
  });
}
