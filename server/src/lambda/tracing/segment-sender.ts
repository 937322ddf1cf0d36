import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { OpenrayError } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';

/** Sends documents to an X-Ray daemon. Never fails, since a trace must not stop an invocation. */
export type SegmentSender = {
  /** Resolves when the datagram is sent or dropped. Drops a document that is larger than a datagram. */
  readonly send: (document: JsonObject) => Promise<void>;
  readonly close: () => void;
};

const HEADER = '{"format":"json","version":1}\n';

/** The largest payload of an IPv4 datagram. */
const DATAGRAM_MAX_BYTES = 65_507;

export type DaemonAddress = { readonly host: string; readonly port: number };

/** `host:port`, an IPv6 host in brackets. */
export function parseDaemonAddress(text: string): DaemonAddress {
  const parts = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || !(port > 0 && port < 65536)) {
    throw new OpenrayError('SettingInvalid', `not a daemon address: "${text.slice(0, 64)}"; write it as host:port`);
  }
  return { host, port };
}

export function openSegmentSender({ host, port }: DaemonAddress): SegmentSender {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('error', () => {});
  socket.unref();
  let isOpen = true;
  return {
    send(document) {
      const datagram = Buffer.from(HEADER + JSON.stringify(document));
      if (!isOpen || datagram.length > DATAGRAM_MAX_BYTES) return Promise.resolve();
      return new Promise((resolve) => socket.send(datagram, port, host, () => resolve()));
    },
    close() {
      if (isOpen) socket.close();
      isOpen = false;
    },
  };
}
