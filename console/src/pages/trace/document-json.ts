import { documentText, type JsonObject, type JsonValue, printJson } from 'openray/model';
import type { Entity } from './entities.ts';

/** Deeper documents are not indented: the spaces alone grow with the square of the depth, 100 MB at 5,000 levels. */
const MAX_INDENTED_LEVELS = 100;

/** The document of an entity as JSON, with its own subsegments nested. */
export function documentJson(entity: Entity): string {
  const document = { ...entity.fields };
  const waiting: { of: Entity; document: { [key: string]: JsonValue }; level: number }[] = [
    { of: entity, document, level: 1 },
  ];
  let levels = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { level } = next;
    levels = Math.max(levels, level);
    const subsegments: JsonObject[] = [];
    for (const child of next.of.children) {
      if (child.kind === 'segment') continue;
      const below = { ...child.fields };
      subsegments.push(below);
      waiting.push({ of: child, document: below, level: level + 1 });
    }
    if (subsegments.length > 0) next.document.subsegments = subsegments;
  }
  return levels > MAX_INDENTED_LEVELS ? documentText(document) : printJson(document, 2);
}
