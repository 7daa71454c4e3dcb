// Live regions: the server's stream says that something changed; the region fetches itself again and is morphed, never jumped.
import { make } from './icon.js'
import { htmx } from './boot.js'
import { arrive } from './arrive.js'
import { word } from './words.js'

const POLL = 10000 // without a stream, each region asks this often
const SETTLE = 150 // a burst of changes is one refresh
const DOZE = 20000 // a hidden page keeps its stream this long
const LATE = 3000 // a stream that is not open after this long counts as broken
const regions = new Set()
let at = document.body.dataset.liveAt // the change up to which this page knows everything: its making, then what it heard
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

/** A region of one case (data-live-case) is not moved by news of others; without ids nobody can tell, so it is. */
const concerns = (el, topic, ids) =>
  topicsOf(el).includes(topic) &&
  !(topic === 'cases' && el.dataset.liveCase && ids?.length && !ids.map(String).includes(el.dataset.liveCase))

function heard(topic, n = 1, ids = []) {
  for (const el of regions) if (concerns(el, topic, ids)) news(el, n)
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
  if (asleep || !wanted || (source && wanted === topics)) return
  source?.close()
  topics = wanted
  const base = document.body.dataset.events || '/events'
  const since = at ? `&since=${encodeURIComponent(at)}` : ''
  source = new EventSource(`${base}?topics=${encodeURIComponent(wanted)}${since}`)
  source.onopen = opened
  source.onerror = broken
  source.onmessage = (event) => {
    const { topic, n, ids } = read(event)
    if (topic) heard(topic, n, ids)
  }
  for (const topic of wanted.split(',')) {
    source.addEventListener(topic, (event) => {
      const { n, ids } = read(event)
      heard(topic, n, ids)
    })
  }
  watchdog = setTimeout(() => {
    if (source?.readyState !== EventSource.OPEN) broken()
  }, LATE)
}

function read(event) {
  at = event.lastEventId || at
  try {
    const { topic, n = 1, ids } = JSON.parse(event.data)
    return { topic, n, ids }
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
/** A page nobody looks at gives its connection back: browsers allow six per server, and offices keep many tabs. */
let dozing = 0
let asleep = false
function doze() {
  asleep = true
  clearTimeout(watchdog)
  source?.close()
  source = null
  poll(false)
}
function wake() {
  clearTimeout(dozing)
  if (!asleep) return
  asleep = false
  connect()
  for (const el of regions) news(el, 1)
}
document.addEventListener('visibilitychange', () => {
  if (document.hidden) dozing = setTimeout(doze, DOZE)
  else wake()
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
