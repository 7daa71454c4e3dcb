// What the check found, marked under the text while it is typed; a suggestion is put in, or left alone for good, by one click.
import { arrive } from './arrive.js'
import { make } from './icon.js'
import { post } from './server.js'
import { toast } from './toast.js'
import { word } from './words.js'

// prettier-ignore
const LOOKS = [
  'fontFamily', 'fontSize', 'fontWeight', 'lineHeight', 'letterSpacing', 'paddingTop', 'paddingRight', 'paddingBottom',
  'paddingLeft', 'textAlign', 'tabSize',
]
const marked = new WeakMap()

/** Lays the marks under a textarea. Its own background turns clear, so that they show through. */
function lay(area) {
  const under = make('div', 'marked-under')
  under.setAttribute('aria-hidden', 'true')
  const around = make('div', 'marked')
  area.before(around)
  around.append(under, area)
  const state = { under, places: [], value: area.value }
  marked.set(area, state)
  const fit = () => {
    const look = getComputedStyle(area)
    for (const name of LOOKS) under.style[name] = look[name]
    under.style.paddingRight = `${parseFloat(look.paddingRight) + area.offsetWidth - area.clientWidth - 2}px`
    under.scrollTop = area.scrollTop
  }
  area.addEventListener('scroll', () => {
    under.scrollTop = area.scrollTop
  })
  area.addEventListener('input', () => {
    shift(state, area.value)
    paint(area, state)
  })
  new ResizeObserver(fit).observe(area)
  fit()
}

/** Until the next check the marks move along with what is typed before them, and go where it is typed into them. */
function shift(state, now) {
  const before = state.value
  let same = 0
  while (same < before.length && same < now.length && before[same] === now[same]) same++
  const moved = now.length - before.length
  state.places = state.places
    .map((place) => (place.start >= same ? { ...place, start: place.start + moved, end: place.end + moved } : place))
    .filter(({ start, end, found }) => now.slice(start, end) === found)
  state.value = now
}

function paint(area, { under, places }) {
  const text = area.value
  const parts = []
  let at = 0
  for (const { start, end, tone } of places) {
    parts.push(text.slice(at, start), make('mark', `tone-${tone}`, text.slice(start, end)))
    at = end
  }
  under.replaceChildren(...parts, `${text.slice(at)}\n`)
  under.scrollTop = area.scrollTop
}

const areaOf = (finds) =>
  document.getElementById(finds.dataset.findsForm)?.elements?.[finds.dataset.finds] ||
  document.querySelector(`textarea[name="${CSS.escape(finds.dataset.finds)}"][data-marks]`)

function show(root) {
  for (const finds of root.querySelectorAll('[data-finds]')) {
    const area = areaOf(finds)
    const state = area && marked.get(area)
    if (!state) continue
    const places = JSON.parse(finds.dataset.findsPlaces || '[]')
    state.value = area.value
    state.places = places.filter(({ start, end, found }) => area.value.slice(start, end) === found)
    paint(area, state)
  }
}

arrive('textarea[data-marks]', lay)
arrive('[data-finds]', () => show(document))
document.addEventListener('htmx:after:swap', () => show(document))
document.addEventListener('htmx:finally:request', () => show(document))

/** Puts text where a finding stands; undo with the keyboard works where the browser allows it. */
function put(area, { start, end, found }, right) {
  const at = area.value.slice(start, end) === found ? start : area.value.indexOf(found)
  if (at < 0) return false
  area.focus()
  area.setSelectionRange(at, at + found.length)
  // A field in a hidden tab takes no focus: what is focused then is another one.
  const typed =
    document.activeElement === area && document.execCommand(right ? 'insertText' : 'delete', false, right)
  if (!typed) {
    area.setRangeText(right, at, at + found.length, 'end')
    area.dispatchEvent(new Event('input', { bubbles: true }))
  }
  return true
}

/** Where a place is by now, moved along with what was typed before it. */
function nearest(area, place) {
  const same = (marked.get(area)?.places || []).filter(({ found }) => found === place.found)
  const away = ({ start }) => Math.abs(start - place.start)
  const now = same.sort((one, other) => away(one) - away(other))[0]
  return now && away(now) < 400 ? now : place
}

/** Takes a finding off the list; who works down it with the keyboard stands on the next one. */
function next(line, byKey) {
  const beside = line.nextElementSibling || line.previousElementSibling
  line.remove()
  if (byKey) beside?.querySelector('button')?.focus()
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-fix], [data-ignore]')
  const finds = button?.closest('[data-finds]')
  const area = finds && areaOf(finds)
  if (!area) return
  event.preventDefault()
  const line = button.closest('.finding')
  if (button.dataset.fix !== undefined) {
    const places = JSON.parse(finds.dataset.findsPlaces)
    const others = line.dataset.others ? line.dataset.others.split(',').map((number) => places[Number(number)]) : []
    const first = places[Number(line.dataset.number)]
    // From the last to the first, so that what is mended moves nothing that is still to be mended.
    const done = others.reverse().map((place) => put(area, nearest(area, place), place.right))
    done.push(put(area, nearest(area, first), others.length ? first.right : JSON.parse(button.value)[4]))
    if (done.some(Boolean)) next(line, event.detail === 0)
    else toast({ text: word('fix_gone'), kind: 'error' })
    return
  }
  const [group, found] = JSON.parse(button.value)
  const answer = await post('/words/ignore', { group, found })
  if (!answer.ok) {
    toast({ text: answer.data.detail || word('failed', { why: answer.status }), kind: 'error' })
    return
  }
  toast(answer.data.text)
  area.dispatchEvent(new Event('input', { bubbles: true }))
})
