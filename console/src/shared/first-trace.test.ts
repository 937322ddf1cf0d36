import { expect, test } from 'vitest';
import { firstTraceCommands } from './first-trace.ts';

const ORIGIN = 'http://localhost:3000';
const ADDRESSES = { Daemon: '127.0.0.1:3000', OtlpHttp: 'http://127.0.0.1:3318', OtlpGrpc: null };
const commandsOf = (...given: Parameters<typeof firstTraceCommands>) =>
  firstTraceCommands(...given).map(({ command }) => command);

test('a server with functions: the commands name the first function and the ports in force', () => {
  expect(commandsOf({ Addresses: ADDRESSES, Functions: ['Orders', 'Payments'] }, ORIGIN)).toEqual([
    'openray invoke Orders --endpoint-url http://localhost:3000',
    'export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:3000',
    'export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:3318',
  ]);
});

test('a server without a template: no command names a function', () => {
  expect(commandsOf({ Addresses: ADDRESSES, Functions: [] }, ORIGIN)[0]).toBe('openray invoke --port 3000');
  const onDefault = { ...ADDRESSES, Daemon: '[::1]:2000' };
  expect(commandsOf({ Addresses: onDefault, Functions: [] }, ORIGIN)[0]).toBe('openray invoke');
});

test('without a port for OpenTelemetry, the main port takes its data', () => {
  const addresses = { ...ADDRESSES, OtlpHttp: null };
  expect(commandsOf({ Addresses: addresses, Functions: [] }, ORIGIN)).toContain(
    'export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:3000',
  );
});
