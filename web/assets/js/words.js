// The words of the page (shell/words.html), so that scripts carry no text of their own.
const words = JSON.parse(document.getElementById('words')?.textContent || '{}')

/** The text for a key with its {places} filled; the key itself when the page brings no words. */
export function word(key, places = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => places[name] ?? all)
}

/** The page's language as a BCP 47 tag. */
export const language = document.documentElement.lang || 'zh-CN'
