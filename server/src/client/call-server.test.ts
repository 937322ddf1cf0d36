import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { callServer } from './call-server.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"Found":true}';

/** A server that handles the n-th request, from 1 on, with `onRequest`. */
async function listen(onRequest: (socket: Socket, request: number) => void): Promise<string> {
  let requests = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => onRequest(socket, ++requests));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return urlOf(server);
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test('a request on a connection that the server closes meanwhile is sent again', async () => {
  const seen: number[] = [];
  const url = await listen((socket, request) => {
    seen.push(request);
    if (request === 2) socket.resetAndDestroy();
    else socket.write(ANSWER);
  });
  const call = () => callServer(url, '/WaitForTrace', {});
  expect([await call(), await call()]).toEqual([{ Found: true }, { Found: true }]);
  expect(seen).toEqual([1, 2, 3]);
});

test('a server that never answers is named, and asked no more than twice', async () => {
  let requests = 0;
  const url = await listen((socket, request) => {
    requests = request;
    socket.destroy();
  });
  await expect(callServer(url, '/WaitForTrace', {})).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    message: `the server at ${url} closed the connection without an answer`,
  });
  expect(requests).toBe(2);
});

test.each([
  ['400 Bad Request', 'InvalidRequestException'],
  ['503 Service Unavailable', 'ServiceUnavailable'],
] as const)('an answer with %s is a failure with the message of the server', async (status, code) => {
  const body = '{"Message":"the reason"}';
  const url = await listen((socket) => {
    socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  await expect(callServer(url, '/TraceSummaries', {})).rejects.toMatchObject({ code, message: 'the reason' });
});

test('without a server, the sentence says how to start one', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = urlOf(server);
  await new Promise((resolve) => server.close(resolve));
  await expect(callServer(url, '/TraceSummaries', {})).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    message: `there is no server at ${url}; start a server with 'openray serve'`,
  });
});
