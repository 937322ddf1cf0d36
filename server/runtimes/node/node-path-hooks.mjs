// @ts-check
/**
 * Hooks of Node's module loader, which runs them in a thread of its own: an import that no `node_modules` resolves is
 * tried from the folders of NODE_PATH.
 */

/** @type {readonly string[]} URLs of the folders that hold the `node_modules` of NODE_PATH. */
let parents = [];

/** @param {{ parents: readonly string[] }} data */
export function initialize(data) {
  parents = data.parents;
}

/**
 * @param {string} specifier
 * @param {object} context
 * @param {(specifier: string, context: object) => Promise<object>} nextResolve
 */
export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (/** @type {any} */ (error)?.code !== 'ERR_MODULE_NOT_FOUND' || /^(\.|\/|#|\w+:)/.test(specifier)) throw error;
    for (const parentURL of parents) {
      try {
        return await nextResolve(specifier, { ...context, parentURL });
      } catch {
        // The next folder may have it.
      }
    }
    throw error;
  }
}
