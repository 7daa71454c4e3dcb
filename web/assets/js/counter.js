// Length counters beside text fields: [data-count] with data-count-rule and data-count-max.
import { arrive } from './arrive.js'
import { RULES } from './length.js'
import { word } from './words.js'

function count(el) {
  const max = Number(el.dataset.countMax) || 0
  const n = (RULES[el.dataset.countRule] || RULES.plain)(el.value)
  const place = el.closest('.field')?.querySelector('[data-counter]')
  if (!place) return
  place.textContent = !max
    ? word('length', { n })
    : n > max
      ? word('length_over', { n, max, over: n - max })
      : word('length_of', { n, max })
  place.className = `counter${max && n > max ? ' counter-over' : max && n > max * 0.9 ? ' counter-near' : ''}`
  place.setAttribute('aria-live', max && n > max * 0.9 ? 'polite' : 'off')
}

// A refreshed region brings the server's words for the counter: the text in the field knows better.
document.addEventListener('htmx:after:swap', () => {
  for (const el of document.querySelectorAll('[data-count]')) count(el)
})
arrive('[data-count]', (el) => {
  el.addEventListener('input', () => count(el))
  count(el)
})
