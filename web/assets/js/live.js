// Live regions: the server's stream says that something changed; the region fetches itself again and is morphed, never jumped.
import { make } from './icon.js'
import { htmx } from './boot.js'
import { arrive } from './arrive.js'
import { word } from './words.js'

const POLL = 10000 // without a stream, each region asks this often
const SETTLE = 300 // a burst of changes is one refresh
const LATE = 3000 // a stream that is not open after this long counts as broken
const regions = new Set()
let source,
  topics = '',
  polling,
  watchdog,
  pause = 1000

const topicsOf = (el) =>
  el.dataset.live
    .split(',')
    .map((topic) => topic.trim())
    .filter(Boolean)
const scroller = (el) => el.closest('.pane-body') || document.scrollingElement

/** Moving the page now would take something from under the reader's eyes or fingers. */
function busy(el) {
  const typing =
    el.contains(document.activeElement) &&
    document.activeElement.matches('input:not([type=checkbox]), textarea, select')
  const ticked = el.querySelector('input[type=checkbox]:checked, details[open]')
  const selecting = !getSelection().isCollapsed && el.contains(getSelection().anchorNode)
  return 'liveHold' in el.dataset || typing || ticked || selecting || scroller(el).scrollTop > 80
}

async function refresh(el, { top = false } = {}) {
  if (!el.isConnected) return regions.delete(el)
  el.hubNews = 0
  el.hubPill?.remove()
  await htmx.ajax('GET', el.dataset.liveSrc, { target: el, swap: 'innerMorph', source: el })
  if (top) scroller(el).scrollTo({ top: 0 })
}

function pill(el) {
  const button = el.hubPill?.querySelector('button') || make('button', 'fresh-pill')
  button.type = 'button'
  button.textContent = word('fresh', { n: el.hubNews })
  button.onclick = () => refresh(el, { top: true })
  if (!el.hubPill?.isConnected) {
    el.hubPill = make('div', 'fresh', '', button)
    if (!('liveQuiet' in el.dataset)) el.hubPill.setAttribute('role', 'status')
    el.before(el.hubPill)
  }
}

function news(el, n) {
  el.hubNews = (el.hubNews || 0) + n
  clearTimeout(el.hubTimer)
  el.hubTimer = setTimeout(() => (busy(el) ? pill(el) : refresh(el)), SETTLE)
}

function heard(topic, n = 1) {
  for (const el of regions) if (topicsOf(el).includes(topic)) news(el, n)
  document.dispatchEvent(new CustomEvent('hub:changed', { detail: { topic, n } }))
}

function offline(yes) {
  for (const el of document.querySelectorAll('[data-offline]')) el.hidden = !yes
}

function poll(yes) {
  clearInterval(polling)
  polling = yes
    ? setInterval(() => {
        if (!document.hidden) for (const el of regions) if (!busy(el)) refresh(el)
      }, POLL)
    : 0
}

function broken() {
  clearTimeout(watchdog)
  offline(!navigator.onLine || !source || source.readyState !== EventSource.OPEN)
  if (!polling) poll(true)
  if (source?.readyState === EventSource.CLOSED) {
    source = null
    setTimeout(connect, (pause = Math.min(pause * 2, 30000)))
  }
}

function opened() {
  clearTimeout(watchdog)
  pause = 1000
  offline(false)
  if (polling) {
    poll(false)
    for (const el of regions) busy(el) ? pill(Object.assign(el, { hubNews: el.hubNews || 1 })) : refresh(el)
  }
}

/** Opens one stream for all topics of the page; called again when regions with other topics arrive. */
function connect() {
  const wanted = [...new Set([...regions].flatMap(topicsOf))].sort().join(',')
  if (!wanted || (source && wanted === topics)) return
  source?.close()
  topics = wanted
  const base = document.body.dataset.events || '/events'
  source = new EventSource(`${base}?topics=${encodeURIComponent(wanted)}`)
  source.onopen = opened
  source.onerror = broken
  source.onmessage = (event) => {
    const { topic, n } = read(event)
    if (topic) heard(topic, n)
  }
  for (const topic of wanted.split(',')) source.addEventListener(topic, (event) => heard(topic, read(event).n))
  watchdog = setTimeout(() => {
    if (source?.readyState !== EventSource.OPEN) broken()
  }, LATE)
}

function read(event) {
  try {
    const data = JSON.parse(event.data)
    return { topic: data.topic, n: data.n || 1 }
  } catch {
    return { n: 1 }
  }
}

arrive('[data-live]', (el) => {
  regions.add(el)
  setTimeout(connect)
})
document.addEventListener('hub:undone', () => {
  for (const el of regions) refresh(el)
})
addEventListener('online', () => {
  if (!source) connect()
})
addEventListener('offline', () => offline(true))
addEventListener('pagehide', () => source?.close())
addEventListener('pageshow', (event) => {
  if (event.persisted) {
    source = null
    connect()
  }
})
