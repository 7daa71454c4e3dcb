// Lengths as the platforms count them; the same rules as connectors/lengths.py. Pure, so that it can be tested without a page.
const LINK = /https?:\/\/[!-~]+/g

/** Chinese 1, ASCII half, every link 10 characters; rounded up. */
export function weibo(text) {
  let half = 0
  const rest = text.replace(LINK, () => {
    half += 20
    return ''
  })
  for (const c of rest) half += c.codePointAt(0) < 128 ? 1 : 2
  return Math.ceil(half / 2)
}

/** What a reader sees as one sign counts one; links 23; @name@host counts as @name. */
export function mastodon(text) {
  const short = text.replace(LINK, 'x'.repeat(23)).replace(/(^|[^\w/])@(\w+)@[\w.-]+\w/g, '$1@$2')
  return signs(short)
}

/** Signs as a reader counts them; code points where the browser has no segmenter (before Chromium 87). */
export function signs(text) {
  return typeof Intl.Segmenter === 'function'
    ? [...new Intl.Segmenter('zh', { granularity: 'grapheme' }).segment(text)].length
    : [...text].length
}

export const RULES = { weibo, mastodon, plain: (text) => [...text].length }
