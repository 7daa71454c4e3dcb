// <time data-relative>: words that stay true while the page is open. The server's own words stand until a minute boundary changes them.
import { arrive } from './arrive.js'
import { word } from './words.js'

const DAY = 86400

function text(at) {
  const away = (Date.now() - at) / 1000,
    ago = Math.abs(away)
  if (ago < 45) return word('just_now')
  if (ago < 3600) return word(away > 0 ? 'minutes' : 'in_minutes', { n: Math.max(1, Math.round(ago / 60)) })
  if (ago < DAY) return word(away > 0 ? 'hours' : 'in_hours', { n: Math.floor(ago / 3600) })
  return ''
}

function freshen(el) {
  const at = Date.parse(el.dateTime)
  const moment = at ? text(at) : ''
  const words = moment && (el.dataset.phrase || '{when}').replace('{when}', moment)
  if (words && el.textContent !== words) el.textContent = words
}

const all = new Set()
arrive('time[data-relative]', (el) => all.add(el))
setInterval(() => {
  for (const el of all) el.isConnected ? freshen(el) : all.delete(el)
}, 30000)
