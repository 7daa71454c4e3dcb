// Runs a function once for every matching element, now and whenever htmx or a script brings new ones.
const kinds = []
const done = new WeakMap()

function scan(root) {
  for (const [selector, run] of kinds) {
    const found = root.querySelectorAll ? [...root.querySelectorAll(selector)] : []
    if (root.matches?.(selector)) found.unshift(root)
    for (const el of found) {
      const seen = done.get(el) || done.set(el, new Set()).get(el)
      if (!seen.has(run)) {
        seen.add(run)
        run(el)
      }
    }
  }
}

/** Calls run(el) once for each element that matches, present or future. */
export function arrive(selector, run) {
  kinds.push([selector, run])
  scan(document)
}

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) scan(node)
}).observe(document.documentElement, { childList: true, subtree: true })
