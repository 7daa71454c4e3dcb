// Takes from Tabler only its base, grid, form and spacing rules, and nothing an older Chromium cannot read.
// Tabler's colours are oklch() and color-mix() (Chromium 111+): they are dropped here, ours stand in css/tokens.css.
const CLASSES = new RegExp(
  '^(row|col|col-(auto|\\d+)|(row-cols|g|gx|gy|offset)-\\w+|col-(sm|md|lg|xl)(-(auto|\\d+))?' +
    '|form-(control|select)(-sm)?' +
    '|d-((sm|md|lg|print)-)?(none|block|flex|inline-flex|grid|inline-block)' +
    '|flex-(fill|row|column|wrap|nowrap|grow-1|shrink-0)|justify-content-(start|end|center|between)|align-(items|self)-(start|end|center|baseline)' +
    '|[mp][tbsexy]?-(auto|[0-5])|gap-[0-5]|w-100|h-100|text-(start|end|center|nowrap|truncate|break)|visually-hidden(-focusable)?|list-unstyled)$',
)
const TOO_NEW = /oklch\(|color-mix\(|:has\(|light-dark\(|@layer|@container/
const REFUSED =
  /data-|\.(dark|theme|was-validated|btn|card|input-group|form-floating|is-(in)?valid)\b|\[dir|fieldset:disabled|::-webkit-file/

/** Splits "a{b}c{d{e}}" into [head, body] pairs; body is null for statements such as @charset. */
function* blocks(css) {
  let head = '',
    depth = 0,
    start = 0,
    quote = ''
  for (let i = 0; i < css.length; i++) {
    const c = css[i]
    if (quote) {
      if (c === quote && css[i - 1] !== '\\') quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '{' && depth++ === 0) {
      head = css.slice(start, i).trim()
      start = i + 1
    } else if (c === '}' && --depth === 0) {
      yield [head, css.slice(start, i)]
      start = i + 1
    } else if (c === ';' && depth === 0) {
      start = i + 1
    }
  }
}

/** True when every class of the selector is wanted and the selector is not one of the refused kinds. */
function wanted(selector) {
  if (REFUSED.test(selector) || TOO_NEW.test(selector) || selector.startsWith(':root') || /^(\[|:host)/.test(selector))
    return false
  return [...selector.matchAll(/\.([\w-]+)/g)].every(([, name]) => CLASSES.test(name))
}

/** The declarations an older Chromium reads; brackets and strings may hold semicolons. */
function readable(body) {
  const parts = ['']
  let depth = 0,
    quote = ''
  for (const c of body) {
    if (quote) {
      if (c === quote) quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '(') depth++
    else if (c === ')') depth--
    if (c === ';' && !depth && !quote) parts.push('')
    else parts[parts.length - 1] += c
  }
  return parts
    .map((p) => p.trim())
    .filter((p) => p && !TOO_NEW.test(p))
    .join(';')
}

/** Returns the part of Tabler's style sheet that the hub uses. */
export function pick(css) {
  let out = ''
  for (const [head, body] of blocks(css.replace(/\/\*[^]*?\*\//g, ''))) {
    if (/^@(media|supports)/.test(head)) {
      const inner = pick(body)
      if (inner && !TOO_NEW.test(head)) out += `${head}{${inner}}`
    } else if (!head.startsWith('@')) {
      const selectors = head
        .split(/,(?![^(]*\))/)
        .map((s) => s.trim())
        .filter(wanted)
      const kept = readable(body)
      if (selectors.length && kept) out += `${selectors.join(',')}{${kept}}\n`
    }
  }
  return out
}
