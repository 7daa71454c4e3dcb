// The composer: one text for all, a text of its own for each chosen account, as tabs with a live count per account.
import { arrive } from './arrive.js'
import { make } from './icon.js'
import { RULES } from './length.js'
import { word } from './words.js'
import './pictures.js'
import './video.js'

arrive('[data-compose]', (el) => {
  const form = el.closest('form')
  const parts = [...el.querySelectorAll('[data-part]')].map((part) => piece(part))
  const common = parts[0]
  const bar = make('div', 'tabs compose-tabs', '', ...parts.map(({ tab }) => tab))
  bar.setAttribute('role', 'tablist')
  el.classList.add('compose-tabbed')
  el.prepend(bar)

  function piece(part) {
    const { partName: name, partAccount: account, partRule: rule, partMax } = part.dataset
    const form_ = part.querySelector('[data-part-form]')
    const count = make('span', 'compose-count')
    const tab = make('button', 'tab', '', make('span', '', name), count)
    tab.type = 'button'
    tab.setAttribute('role', 'tab')
    part.id ||= `part-${account || 'all'}`
    part.setAttribute('role', 'tabpanel')
    tab.setAttribute('aria-controls', part.id)
    if (part.tagName === 'DETAILS') part.open = true
    return {
      part,
      tab,
      count,
      account,
      rule,
      // Each form of a post has its own length.
      get max() {
        return Number(form_?.selectedOptions[0]?.dataset.max || partMax)
      },
      area: part.querySelector('textarea'),
    }
  }

  const picked = ({ account }) =>
    !account || Boolean(form.querySelector(`[data-pick="${CSS.escape(account)}"]`)?.checked)

  function choose(one, focus = false) {
    for (const each of parts) {
      each.part.hidden = each !== one
      each.tab.setAttribute('aria-selected', String(each === one))
      each.tab.tabIndex = each === one ? 0 : -1
    }
    if (focus) one.tab.focus()
  }

  /** What goes out on each account, counted as its platform counts. */
  function tally() {
    for (const one of parts) {
      if (!one.account) continue
      const own = one.area.value.trim()
      const n = (RULES[one.rule] || RULES.plain)((own ? one.area.value : common.area.value).trim())
      one.count.textContent = word('length_of', { n, max: one.max })
      one.count.className = `compose-count${n > one.max ? ' counter-over' : n > one.max * 0.9 ? ' counter-near' : ''}`
      one.tab.classList.toggle('compose-own', Boolean(own))
    }
  }

  function fit() {
    for (const one of parts) one.tab.hidden = !picked(one)
    if (parts.some(({ part, tab }) => !part.hidden && tab.hidden)) choose(common)
    tally()
  }

  for (const one of parts) {
    one.tab.addEventListener('click', () => choose(one))
    const copy = one.part.querySelector('[data-part-copy]')
    if (!copy) continue
    copy.hidden = false
    copy.addEventListener('click', () => {
      one.area.value = common.area.value
      one.area.dispatchEvent(new Event('input', { bubbles: true }))
      one.area.focus()
    })
  }
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const open = parts.filter(({ tab }) => !tab.hidden)
    const at = open.findIndex(({ part }) => !part.hidden)
    choose(open[(at + step + open.length) % open.length], true)
  })
  form.addEventListener('input', tally)
  /** Only what the chosen form has: a title, a word on what it is. */
  function suit() {
    for (const { part, area } of parts) {
      const chosen = part.querySelector('[data-part-form]')?.selectedOptions[0]
      if (!chosen) continue
      area.dataset.countMax = chosen.dataset.max
      const title = part.querySelector('[data-part-title]')
      if (title) title.hidden = chosen.dataset.title === '0'
      part.querySelector('[data-part-note]').textContent = chosen.dataset.note
    }
  }
  form.addEventListener('change', () => {
    suit()
    fit()
  })
  suit()
  choose(common)
  fit()
})

/** A time is asked for only where one is wanted. */
arrive('#post-form', (form) => {
  const times = ['on', 'at'].map((name) => form.elements[name])
  const fit = () => {
    for (const field of times) field.disabled = form.elements.when.value === 'now'
  }
  form.addEventListener('change', fit)
  fit()
})
