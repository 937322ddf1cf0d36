import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A segment document, as far as the tests look into it. */
export type SegmentDocument = {
  readonly name: string;
  readonly id: string;
  readonly trace_id: string;
  readonly parent_id?: string;
  readonly [field: string]: unknown;
};

/** The daemon's socket, and nothing behind it: keeps the documents that X-Ray's libraries send, for the tests. */
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
    /** The first document of the name, which may still be under way. */
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
