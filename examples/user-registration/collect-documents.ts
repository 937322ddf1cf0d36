import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** The fields of a segment document that the tests read. */
export type SegmentDocument = {
  readonly name: string;
  readonly id: string;
  readonly trace_id: string;
  readonly parent_id?: string;
  readonly [field: string]: unknown;
};

/** A daemon for tests: listens on its UDP port and keeps the documents that X-Ray's libraries send. */
export async function collectDocuments() {
  const documents: SegmentDocument[] = [];
  const socket = createSocket('udp4', (datagram) => {
    const [header, document] = datagram.toString().split('\n');
    if (header === '{"format":"json","version":1}' && document) documents.push(JSON.parse(document));
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    /** For AWS_XRAY_DAEMON_ADDRESS. */
    daemonAddress: `127.0.0.1:${socket.address().port}`,
    documents,
    /** The first document with the name. Waits until it has arrived. */
    async document(name: string): Promise<SegmentDocument> {
      for (;;) {
        const found = documents.find((document) => document.name === name);
        if (found) return found;
        await once(socket, 'message');
      }
    },
    close: () => void socket.close(),
  };
}
