// The publishing calendar: months to lists, drag with undo, 班/休 marks, states by sign and word before colour.
import { Calendar } from 'fullcalendar'
import dayGrid from 'fullcalendar/daygrid'
import timeGrid from 'fullcalendar/timegrid'
import listView from 'fullcalendar/list'
import interaction from 'fullcalendar/interaction'
import theme from 'fullcalendar/themes/classic'
import zhCn from 'fullcalendar/locales/zh-cn'
import zhTw from 'fullcalendar/locales/zh-tw'
import enGb from 'fullcalendar/locales/en-gb'
import 'fullcalendar/skeleton.css'
import 'fullcalendar/themes/classic/theme.css'
import 'fullcalendar/themes/classic/palette.css'
import '../css/calendar.css'
import { arrive } from './arrive.js'
import { icon, make } from './icon.js'
import { load, post } from './server.js'
import { language, word } from './words.js'

const LOCALES = { 'zh-CN': zhCn, 'zh-TW': zhTw, en: enGb }
const SIGNS = { draft: '○', review: '◐', ready: '●', done: '✓', problem: '!', held: '‖', gone: '–' }
const TONES = {
  draft: 'draft',
  review: 'review',
  returned: 'review',
  approved: 'ready',
  waiting: 'ready',
  sending: 'ready',
  done: 'done',
  sent: 'done',
  failed: 'problem',
  missed: 'problem',
  unknown: 'problem',
  held: 'held',
  withdrawn: 'gone',
  cancelled: 'gone',
  removed: 'gone',
}
const ZONE = 'Asia/Shanghai'
const DAY = new Intl.DateTimeFormat('en-CA', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' })
const VIEWS = [
  ['dayGridMonth', 'month'],
  ['timeGridWeek', 'week'],
  ['timeGridDay', 'day'],
  ['listWeek', 'list'],
]
const SPAN = { year: 'numeric', month: 'long', day: 'numeric' }
const phone = () => matchMedia('(max-width: 767.98px)').matches

const toneOf = (event) => event.extendedProps.tone || TONES[event.extendedProps.state] || 'draft'
const toast = (detail) => document.dispatchEvent(new CustomEvent('toast', { detail }))
const withRange = (url, { start, end }) => {
  const u = new URL(url, location.href)
  u.searchParams.set('start', start)
  u.searchParams.set('end', end)
  return u
}

/** Sign, time, title, accounts; the state in words for screen readers, on hover, and as a column of the list. */
function content({ event, timeText, view }) {
  const { state_label: state = '', account_names: names = [], conflict, picture, video } = event.extendedProps
  const list = view.type.startsWith('list')
  const sign = make('span', 'cal-sign', SIGNS[toneOf(event)])
  sign.setAttribute('aria-hidden', 'true')
  const month = view.type === 'dayGridMonth'
  const parts = [sign, make('span', 'cal-time', timeText)]
  if (conflict) parts.push(make('span', 'cal-conflict', word('conflict')))
  if (picture) parts.push(Object.assign(make('img', 'cal-picture'), { src: picture, alt: '', loading: 'lazy' }))
  if (video) {
    const film = make('span', 'cal-film', '▶')
    film.setAttribute('role', 'img')
    film.setAttribute('aria-label', word('video'))
    parts.push(film)
  }
  parts.push(make('span', 'cal-title', event.title))
  if (month && names.length > 1) parts.push(make('span', 'cal-accounts', `×${names.length}`))
  if (!month && names.length) parts.push(make('span', 'cal-accounts', names.join(word('comma'))))
  parts.push(make('span', list ? 'cal-state' : 'visually-hidden', state))
  return { domNodes: [make('span', 'cal-ev-in', '', ...parts)] }
}

function dayTop(marks) {
  return ({ dayNumberText, monthText, date, isNarrow }) => {
    const day = marks.get(DAY.format(date))
    const nodes = [make('span', 'cal-day', dayNumberText.replace('日', ''))]
    if (day?.mark)
      nodes.push(
        make('span', `dayoff dayoff-${day.mark === '休' ? 'off' : 'work'}`, word(day.mark === '休' ? 'off' : 'work')),
      )
    if (!isNarrow && (day?.name || day?.term)) nodes.push(make('span', 'cal-term', day.name || day.term))
    return { domNodes: [make('span', 'cal-day-in', '', ...nodes)], monthText }
  }
}

/** “2026年11月”, “2026年11月23日至29日”. */
function range({ type, currentStart, currentEnd }) {
  if (type === 'dayGridMonth')
    return new Intl.DateTimeFormat(language, { timeZone: ZONE, year: 'numeric', month: 'long' }).format(currentStart)
  const day = (at, shape) => new Intl.DateTimeFormat(language, { timeZone: ZONE, ...shape }).format(at)
  return type === 'timeGridDay'
    ? day(currentStart, { ...SPAN, weekday: 'long' })
    : `${day(currentStart, SPAN)} – ${day(new Date(currentEnd - 1), { month: 'long', day: 'numeric' })}`
}

/** Our own bar above the calendar: back, on, today, the range in words, the four views. */
function toolbar(calendar) {
  const button = (text, run, ...inside) => {
    const b = make('button', 'btn btn-sm', inside.length ? '' : text, ...inside)
    b.type = 'button'
    b.setAttribute('aria-label', text)
    b.onclick = run
    return b
  }
  const group = (...buttons) => make('div', 'btn-group', '', ...buttons)
  const title = make('h2', 'cal-range')
  title.setAttribute('aria-live', 'polite')
  const views = VIEWS.map(([view, name]) => button(word(name), () => calendar.changeView(view)))
  return {
    el: make(
      'div',
      'cal-bar',
      '',
      group(
        button(word('prev'), () => calendar.prev(), icon('chevron-left')),
        button(word('next'), () => calendar.next(), icon('chevron-right')),
      ),
      button(word('today'), () => calendar.today()),
      title,
      group(...views),
    ),
    show: (view) => {
      title.textContent = range(view)
      views.forEach((b, i) => b.setAttribute('aria-pressed', String(VIEWS[i][0] === view.type)))
    },
  }
}

function mount(el) {
  const { eventsUrl, moveUrl, daysUrl, composeUrl } = el.dataset
  const picks = [...document.querySelectorAll('[data-calendar-account]')]
  const wanted = ({ accounts }) =>
    !picks.length ||
    !accounts?.length ||
    picks.some((box) => box.checked && accounts.map(String).includes(box.dataset.calendarAccount))

  const calendar = new Calendar(el, {
    plugins: [dayGrid, timeGrid, listView, interaction, theme],
    locale: LOCALES[language] || zhCn,
    timeZone: ZONE,
    firstDay: 1,
    weekNumbers: false,
    nowIndicator: true,
    navLinks: false,
    initialView: el.dataset.view || (phone() ? 'listWeek' : 'dayGridMonth'),
    // A list begins with today (or the day gone to), not with a Monday that is over.
    views: { listWeek: { type: 'list', duration: { days: 7 }, dateAlignment: 'day' } },
    initialDate: new URLSearchParams(location.search).get('date') || undefined,
    headerToolbar: false,
    height: 'auto',
    eventDisplay: 'block',
    slotMinTime: '06:00',
    slotMaxTime: '24:00',
    scrollTime: '07:00',
    slotDuration: '00:30',
    snapDuration: '00:05',
    eventTimeFormat: { hour: '2-digit', minute: '2-digit', hour12: false },
    slotHeaderFormat: { hour: '2-digit', minute: '2-digit', hour12: false },
    dayMaxEvents: true,
    moreLinkContent: ({ num }) => word('more', { n: num }),
    noEventsContent: word('no_posts'),
    defaultTimedEventDuration: '00:30',
    displayEventEnd: false,
    allDaySlot: false,
    editable: Boolean(moveUrl),
    eventDurationEditable: false,
    selectable: Boolean(composeUrl),
    selectMinDistance: 4,
    unselectAuto: true,
    longPressDelay: 400,
    events: async (range) =>
      (await load(withRange(eventsUrl, { start: range.startStr, end: range.endStr })))
        .filter(wanted)
        .map((event) => ({ ...event, href: event.url, editable: Boolean(moveUrl) && event.movable !== false })),
    listItemEventBeforeClass: 'cal-none',
    eventContent: content,
    eventClass: ({ event }) =>
      `cal-ev cal-${toneOf(event)}${event.extendedProps.movable === false ? ' cal-fixed' : ''}`,
    eventDidMount: ({ el: node, event, timeText }) => describe(node, event, timeText),
    dayCellTopContent: dayTop(new Map()),
    // The label would hide the posts of the day from screen readers; the cell's own words say more.
    dayCellDidMount: ({ el: cell }) => cell.removeAttribute('aria-label'),
    dateClick: composeUrl ? (info) => compose(info.dateStr, info.allDay) : undefined,
    select: composeUrl ? (info) => compose(info.startStr, info.allDay) : undefined,
    eventClick: (info) => open(info),
    eventDrop: (info) => move(info),
    eventSourceFailure: () => toast({ text: word('server_down'), kind: 'error' }),
    datesSet: (info) => {
      el.classList.toggle('cal-lines', info.view.type.startsWith('list'))
      marks(info)
      bar.show(info.view)
      fit(info.view)
    },
  })
  const bar = toolbar(calendar)

  /** The month and the hours fill the window, so that the page itself need not scroll; a list is as long as it is. */
  function fit(view) {
    const below = el.closest('.cal')?.nextElementSibling?.offsetHeight || 0
    const free = innerHeight - el.getBoundingClientRect().top - scrollY - below - 36
    calendar.setOption('height', view.type.startsWith('list') || phone() ? 'auto' : Math.max(520, free))
  }

  function describe(node, event, timeText) {
    const { state_label: state = '', account_names: names = [], why } = event.extendedProps
    node.title = [timeText, event.title, state, names.join(word('comma')), why && word('why_not_movable', { why })]
      .filter(Boolean)
      .join('\n')
  }

  function open({ event, jsEvent }) {
    jsEvent.preventDefault()
    const { href } = event.extendedProps
    if (!href) return
    if (jsEvent.ctrlKey || jsEvent.metaKey) window.open(href)
    else document.dispatchEvent(new CustomEvent('hub:side', { detail: { url: href, title: event.title } }))
  }

  function compose(at, allDay) {
    const when = allDay ? `${at.slice(0, 10)}T09:00:00+08:00` : at
    location.assign(composeUrl.replace('{at}', encodeURIComponent(when)))
  }

  /** The server decides: its new version is kept, its refusal puts the post back and says every reason. */
  async function move({ event, revert }) {
    const { ok, status, data } = await post(moveUrl.replace('{id}', encodeURIComponent(event.id)), {
      start: event.startStr,
      version: event.extendedProps.version,
    })
    if (!ok) {
      revert()
      toast({
        text: word('not_moved'),
        kind: 'error',
        list: data.reasons || [data.detail || (status ? word('failed', { why: status }) : word('server_down'))],
      })
      return
    }
    if (data.version !== undefined) event.setExtendedProp('version', data.version)
    const time = new Intl.DateTimeFormat(language, {
      timeZone: ZONE,
      month: 'short',
      day: 'numeric',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hour12: false,
    }).format(event.start)
    toast({ text: data.text || word('moved', { time }), undo_url: data.undo_url })
  }

  let marked = ''
  async function marks({ startStr, endStr }) {
    if (!daysUrl || marked === startStr + endStr) return
    marked = startStr + endStr
    const days = await load(withRange(daysUrl, { start: startStr, end: endStr })).catch(() => [])
    calendar.setOption('dayCellTopContent', dayTop(new Map(days.map((day) => [day.date, day]))))
  }

  for (const box of picks) box.addEventListener('change', () => calendar.refetchEvents())
  document.addEventListener('hub:undone', () => calendar.refetchEvents())
  document.addEventListener('hub:changed', ({ detail }) => {
    if (detail.topic === 'posts') calendar.refetchEvents()
  })
  addEventListener('resize', () => fit(calendar.view))
  el.replaceChildren()
  el.before(bar.el)
  calendar.render()
  el.hubCalendar = calendar
}

arrive('[data-calendar]', mount)
