/** Progress of a long command: one line that is overwritten, on a terminal only. */
export type Progress = {
  /** `share` from 0 to 1; undefined when the total is unknown. */
  show(share: number | undefined, text: string): void;
  /** Clears the line. */
  end(): void;
};

const WIDTH = 24;
const REDRAW_MS = 100;

export function newProgress(stream: NodeJS.WriteStream): Progress {
  let nextMs = 0;
  let hasShown = false;
  return {
    show(share, text) {
      if (!stream.isTTY || performance.now() < nextMs) return;
      nextMs = performance.now() + REDRAW_MS;
      hasShown = true;
      stream.write(`\r\x1b[K${share === undefined ? '' : barOf(share)}${text}`);
    },
    end() {
      if (hasShown) stream.write('\r\x1b[K');
    },
  };
}

function barOf(share: number): string {
  const filled = Math.round(Math.min(1, share) * WIDTH);
  return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${Math.floor(Math.min(1, share) * 100)} % `;
}
