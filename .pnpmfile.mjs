// The node-* packages, which bring Node 24, name their system as a word where a list is expected.
// pnpm would then fetch all of them, and `node_modules/.bin/node` could be the one of Windows.
export const hooks = {
  /** @param {Record<string, unknown>} manifest */
  readPackage(manifest) {
    for (const field of ['os', 'cpu']) {
      if (typeof manifest[field] === 'string') manifest[field] = [manifest[field]]
    }
    return manifest
  },
}
