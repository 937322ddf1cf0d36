import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OpenrayError } from '../errors.ts';
import type { Template } from '../lambda/template/template.ts';

/** Absolute folders of layers by ARN or name. */
export type LayerFolders = Readonly<Record<string, string>>;

/** Reads the values of `--layer`. Throws InvalidRequestException for a text that is not ARN-or-name=FOLDER. */
export function layerFolders(texts: readonly string[]): LayerFolders {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (name === undefined || folder === undefined || !existsSync(folder)) {
        const sentence = `--layer ${text}: write it as ARN-or-name=FOLDER, with a folder that exists`;
        throw new OpenrayError('InvalidRequestException', sentence);
      }
      return [name, resolve(folder)];
    }),
  );
}

/** One sentence for each folder of `--layer` that no function gets. */
export function unusedLayers(layers: LayerFolders, { functions }: Pick<Template, 'functions'>): readonly string[] {
  return Object.entries(layers)
    .filter(([, folder]) => !functions.some(({ layerDirs }) => layerDirs.includes(folder)))
    .map(([name, folder]) => `--layer ${name}=${folder} has no effect: no function has a layer ${name}.`);
}
