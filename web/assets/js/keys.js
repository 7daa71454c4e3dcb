// Keyboard: j/k through rows, letters on buttons (data-key), g + letter to go, / search, x choose, ? help. Silent while typing.
const typing = (el) =>
  el?.matches?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]')
const shown = (el) => el.offsetParent !== null
let going = 0

function rows() {
  return [...document.querySelectorAll('[data-rows] .lrow-link')].filter(shown)
}

function step(by) {
  const all = rows()
  if (!all.length) return
  const here = all.indexOf(document.activeElement)
  const chosen = all.findIndex((link) => link.closest('.lrow-chosen'))
  const from = here >= 0 ? here : chosen >= 0 ? chosen : by > 0 ? -1 : all.length
  const next = all[Math.max(0, Math.min(all.length - 1, from + by))]
  next.focus({ preventScroll: true })
  next.closest('.lrow').scrollIntoView({ block: 'nearest' })
}

/** The button for a letter: in the row under the cursor first, then in an open dialog, then on the page. */
function press(letter) {
  const box = document.querySelector('dialog[open]')
  const places = [document.activeElement?.closest?.('.lrow'), box, box ? null : document]
  for (const place of places) {
    const found = place && [...place.querySelectorAll(`[data-key="${CSS.escape(letter)}"]`)].find(shown)
    if (found) {
      found.matches('input, textarea, select') ? found.focus() : found.click()
      return true
    }
  }
  return false
}

/** The letters on the buttons of this very page, into the dialog of keys. */
function tell() {
  const place = document.querySelector('[data-page-keys]')
  if (!place) return
  const list = place.querySelector('ul')
  const found = [...document.querySelectorAll('main [data-key]')].filter(shown)
  list.replaceChildren(
    ...found.map((el) => {
      const line = document.createElement('li')
      const words = document.createElement('span')
      const label = el.labels?.[0] || el
      words.textContent = [...label.childNodes].filter((node) => !node.matches?.('kbd')).map((node) => node.textContent).join(' ').trim()
      const letter = document.createElement('kbd')
      letter.textContent = el.dataset.key
      line.append(words, letter)
      return line
    }),
  )
  place.hidden = !found.length
}

const DOES = {
  j: () => step(1),
  k: () => step(-1),
  x: () => document.activeElement?.closest?.('.lrow')?.querySelector('input[type=checkbox]')?.click(),
  '/': () => {
    const box = document.querySelector('[data-search]')
    box?.focus()
    box?.select()
  },
  '?': () => {
    tell()
    document.querySelector('[data-dialog="keys"]')?.click()
  },
  g: () => {
    going = Date.now()
  },
}

document.querySelector('[data-dialog="keys"]')?.addEventListener('click', tell)
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.key === 'Escape' && typing(event.target)) {
    event.target.blur()
    return
  }
  if (typing(event.target)) return
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (going && Date.now() - going < 1500) {
    going = 0
    const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`)
    if (link) {
      event.preventDefault()
      link.click()
      return
    }
  }
  going = 0
  if (document.querySelector('dialog[open]') && letter !== 'Escape') {
    if (press(letter)) event.preventDefault()
    return
  }
  if (press(letter)) event.preventDefault()
  else if (DOES[letter]) {
    event.preventDefault()
    DOES[letter]()
  }
})
