import type { Entity } from '../../model/entity.ts';
import { attributesOf, attributeText, TRUNCATED_MARKER } from '../attributes.ts';

/** What the row of a document's top entity has in `attributes`, links apart. */
export function attributeTexts(entities: readonly Entity[]): readonly string[] {
  const { values, hasMore } = attributesOf(entities);
  const texts = [...values].flatMap(([path, ofPath]) => ofPath.map((value) => attributeText(path, value)));
  return hasMore ? [...texts, TRUNCATED_MARKER] : texts;
}
