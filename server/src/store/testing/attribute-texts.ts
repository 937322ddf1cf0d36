import type { Entity } from '../../model/entity.ts';
import { attributesOf, attributeText, TRUNCATED_MARKER } from '../attributes.ts';

/** Value of `attributes` in the row of a document's top entity, without links. */
export function attributeTexts(entities: readonly Entity[]): readonly string[] {
  const { values, hasMore } = attributesOf(entities);
  const texts = [...values].flatMap(([path, ofPath]) => ofPath.map((value) => attributeText(path, value)));
  return hasMore ? [...texts, TRUNCATED_MARKER] : texts;
}
