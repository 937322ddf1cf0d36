import type { GetServerStatusResponse } from 'openray/api-types';

/** A way to send a first trace: its meaning and the command line. */
export type FirstTraceCommand = { readonly meaning: string; readonly command: string };

const DEFAULT_PORT = '2000';

/** Commands for this server: with the ports in force, and with a function that it has. */
export function firstTraceCommands(
  { Addresses, Functions }: Pick<GetServerStatusResponse, 'Addresses' | 'Functions'>,
  pageOrigin: string,
): readonly FirstTraceCommand[] {
  const port = Addresses.Daemon.split(':').at(-1);
  const [name] = Functions;
  const invoke =
    name === undefined
      ? {
          meaning: 'Run a Lambda function with active tracing, in the folder of its SAM template',
          command: `openray invoke${port === DEFAULT_PORT ? '' : ` --port ${port}`}`,
        }
      : {
          meaning: 'Invoke a function of this server',
          command: `openray invoke ${name} --endpoint-url ${pageOrigin}`,
        };
  return [
    invoke,
    {
      meaning: 'Point an X-Ray SDK or Powertools at this daemon',
      command: `export AWS_XRAY_DAEMON_ADDRESS=${Addresses.Daemon}`,
    },
    {
      meaning: 'Or send OpenTelemetry',
      command: `export OTEL_EXPORTER_OTLP_ENDPOINT=${Addresses.OtlpHttp ?? pageOrigin}`,
    },
  ];
}
