// Typed text is never lost: kept on this machine per person and form, brought back after a reload, forgotten once the server has taken it.
import { arrive } from './arrive.js'
import { make } from './icon.js'
import { word, language } from './words.js'

const user = document.body.dataset.user
const FORGET = 14 * 86400e3
const keyOf = (el) => `draft:${user}:${el.dataset.autosave}:${el.name || ''}`
const clock = (at) =>
  new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hour12: false }).format(at)

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key))
  } catch {
    return null
  }
}
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    /* storage full or forbidden: the form still works */
  }
}
const drop = (key) => localStorage.removeItem(key)

function say(el, text) {
  const place = el.closest('.field')?.querySelector('[data-saved]')
  if (place) place.textContent = text
}

function restore(el, kept) {
  const original = el.value
  el.value = kept.value
  el.dispatchEvent(new Event('input', { bubbles: true }))
  const back = make('button', 'btn btn-link', word('discard'))
  back.type = 'button'
  const bar = make('div', 'restored', '', make('span', '', word('restored', { time: clock(kept.at) })), back)
  bar.setAttribute('role', 'status')
  back.onclick = () => {
    el.value = original
    drop(keyOf(el))
    bar.remove()
    el.dispatchEvent(new Event('input', { bubbles: true }))
    drop(keyOf(el))
    say(el, '')
  }
  el.before(bar)
}

function watch(el) {
  if (!user || !el.name) return
  const key = keyOf(el),
    kept = read(key),
    first = el.value
  if (kept && kept.value !== first && kept.value.trim() && Date.now() - kept.at < FORGET) restore(el, kept)
  let timer
  const save = () => {
    clearTimeout(timer)
    if (el.value === first) return drop(key)
    write(key, { value: el.value, at: Date.now() })
    say(el, word('saved', { time: clock(Date.now()) }))
  }
  el.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(save, 400)
  })
  el.addEventListener('blur', () => {
    if (timer) save()
  })
  el.hubDrop = () => {
    clearTimeout(timer)
    drop(key)
  }
}

const fields = (form) => [...form.elements].filter((el) => el.dataset?.autosave)

// A form on its way: mark its drafts. The next page decides: signed in and without errors means the server has taken it.
document.addEventListener('submit', ({ target: form }) => {
  for (const el of fields(form))
    if (read(keyOf(el)) || el.value) write(keyOf(el), { value: el.value, at: Date.now(), sent: true })
})

function settle() {
  const refused = !user || document.querySelector('.errors, .notice-danger, .field-bad')
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith('draft:'))) {
    const kept = read(key)
    if (!kept || Date.now() - kept.at > FORGET) drop(key)
    else if (kept.sent && refused) write(key, { value: kept.value, at: kept.at })
    else if (kept.sent && key.startsWith(`draft:${user}:`)) drop(key)
  }
}

document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
  const form = ctx.request.form
  // A field that asks by itself (a check while typing) hands nothing in.
  const asks = ctx.sourceElement?.matches('input, textarea, select')
  if (!form || asks || /GET/i.test(ctx.request.method)) return
  // A whole page may be the sign-in page: then the next page decides, as for a plain form.
  const whole = /^\s*<!doctype/i.test(ctx.text || '')
  const taken = ctx.response.status < 400 && !whole && !/class="(errors|field field-bad)/.test(ctx.text || '')
  for (const el of fields(form)) {
    if (taken) el.hubDrop?.()
    else if (el.value) write(keyOf(el), { value: el.value, at: Date.now(), sent: whole && ctx.response.status < 400 })
  }
})

settle()
// data-autosave stands on a field, or on a form and means all its texts.
arrive('form[data-autosave]', (form) => {
  for (const el of form.elements)
    if (el.matches('textarea, input[type=text], input:not([type])') && el.name && !el.dataset.autosave) {
      el.dataset.autosave = form.dataset.autosave
      watch(el)
    }
})
arrive('textarea[data-autosave], input[data-autosave]', watch)
