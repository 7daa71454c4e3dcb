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
import { make } from './icon.js'
import { load, post } from './server.js'
import { language, word } from './words.js'

const LOCALES = { 'zh-CN': zhCn, 'zh-TW': zhTw, en: enGb }
const SIGNS = { draft: '○', review: '◐', ready: '●', done: '✓', problem: '!', held: '‖', gone: '–' }
const TONES = {
  draft: 'draft', review: 'review', returned: 'review', approved: 'ready', waiting: 'ready', sending: 'ready', done: 'done', sent: 'done',
  failed: 'problem', missed: 'problem', unknown: 'problem', held: 'held', withdrawn: 'gone', cancelled: 'gone', removed: 'gone',
}
const phone = () => matchMedia('(max-width: 767.98px)').matches

const toneOf = event => event.extendedProps.tone || TONES[event.extendedProps.state] || 'draft'
const toast = detail => document.dispatchEvent(new CustomEvent('toast', { detail }))
const withRange = (url, { start, end }) => { const u = new URL(url, location.href); u.searchParams.set('start', start); u.searchParams.set('end', end); return u }

/** Sign, time, title, accounts; the state in words for screen readers, on hover, and as a column of the list. */
function content({ event, timeText, view }) {
  const { state_label: state = '', account_names: names = [], conflict } = event.extendedProps
  const list = view.type.startsWith('list')
  const sign = make('span', 'cal-sign', SIGNS[toneOf(event)])
  sign.setAttribute('aria-hidden', 'true')
  const parts = [sign, make('span', 'cal-time', list ? '' : timeText), make('span', 'cal-title', event.title)]
  if (conflict) parts.push(make('span', 'cal-conflict', word('conflict')))
  if (names.length) parts.push(make('span', 'cal-accounts', list || names.length < 3 ? names.join('、') : `${names[0]} +${names.length - 1}`))
  parts.push(make('span', list ? 'cal-state' : 'visually-hidden', state))
  return { domNodes: [make('span', 'cal-ev-in', '', ...parts)] }
}

function dayTop(marks) {
  return ({ dayNumberText, monthText, date, isNarrow }) => {
    const day = marks.get(date.toISOString().slice(0, 10))
    const nodes = [make('span', 'cal-day', dayNumberText.replace('日', ''))]
    if (day?.mark) nodes.push(make('span', `dayoff dayoff-${day.mark === '休' ? 'off' : 'work'}`, word(day.mark === '休' ? 'off' : 'work')))
    if (!isNarrow && (day?.name || day?.term)) nodes.push(make('span', 'cal-term', day.name || day.term))
    return { domNodes: [make('span', 'cal-day-in', '', ...nodes)], monthText }
  }
}

function mount(el) {
  const { eventsUrl, moveUrl, daysUrl, composeUrl } = el.dataset
  const picks = [...document.querySelectorAll('[data-calendar-account]')]
  const wanted = ({ accounts }) => !picks.length || !accounts?.length || picks.some(box => box.checked && accounts.map(String).includes(box.dataset.calendarAccount))

  const calendar = new Calendar(el, {
    plugins: [dayGrid, timeGrid, listView, interaction, theme],
    locale: LOCALES[language] || zhCn, timeZone: 'Asia/Shanghai', firstDay: 1, weekNumbers: false, nowIndicator: true, navLinks: true,
    initialView: el.dataset.view || (phone() ? 'listWeek' : 'dayGridMonth'), initialDate: new URLSearchParams(location.search).get('date') || undefined,
    headerToolbar: { left: 'prev,next today', center: 'title', right: 'dayGridMonth,timeGridWeek,timeGridDay,listWeek' },
    buttons: { dayGridMonth: { text: word('month') }, timeGridWeek: { text: word('week') }, timeGridDay: { text: word('day') }, listWeek: { text: word('list') }, today: { text: word('today') } },
    height: 'auto', slotMinTime: '06:00', slotMaxTime: '24:00', scrollTime: '08:00', slotDuration: '00:30', snapDuration: '00:05', eventTimeFormat: { hour: '2-digit', minute: '2-digit', hour12: false }, slotHeaderFormat: { hour: '2-digit', minute: '2-digit', hour12: false },
    dayMaxEvents: 4, moreLinkContent: ({ num }) => word('more', { n: num }), noEventsContent: word('no_posts'), defaultTimedEventDuration: '00:30', displayEventEnd: false, allDaySlot: false,
    editable: Boolean(moveUrl), eventDurationEditable: false, selectable: Boolean(composeUrl), selectMinDistance: 4, unselectAuto: true, longPressDelay: 400,
    events: async range => (await load(withRange(eventsUrl, { start: range.startStr, end: range.endStr }))).filter(wanted).map(event => ({ ...event, url: undefined, href: event.url, editable: Boolean(moveUrl) && event.movable !== false })),
    eventContent: content,
    eventClass: ({ event }) => `cal-ev cal-${toneOf(event)}${event.extendedProps.movable === false ? ' cal-fixed' : ''}`,
    eventDidMount: ({ el: node, event, timeText }) => describe(node, event, timeText),
    dayCellTopContent: dayTop(new Map()),
    dateClick: composeUrl ? info => compose(info.dateStr, info.allDay) : undefined,
    select: composeUrl ? info => compose(info.startStr, info.allDay) : undefined,
    eventClick: info => open(info),
    eventDrop: info => move(info),
    eventSourceFailure: () => toast({ text: word('server_down'), kind: 'error' }),
    datesSet: info => marks(info),
  })

  function describe(node, event, timeText) {
    const { state_label: state = '', account_names: names = [], why } = event.extendedProps
    node.title = [timeText, event.title, state, names.join('、'), why && word('why_not_movable', { why })].filter(Boolean).join('\n')
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
    const { ok, status, data } = await post(moveUrl.replace('{id}', encodeURIComponent(event.id)), { start: event.startStr, version: event.extendedProps.version })
    if (!ok) {
      revert()
      toast({ text: word('not_moved'), kind: 'error', list: data.reasons || [data.detail || (status ? word('failed', { why: status }) : word('server_down'))] })
      return
    }
    if (data.version !== undefined) event.setExtendedProp('version', data.version)
    const time = new Intl.DateTimeFormat(language, { timeZone: 'Asia/Shanghai', month: 'short', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hour12: false }).format(event.start)
    toast({ text: data.text || word('moved', { time }), undo_url: data.undo_url })
  }

  let marked = ''
  async function marks({ startStr, endStr }) {
    if (!daysUrl || marked === startStr + endStr) return
    marked = startStr + endStr
    const days = await load(withRange(daysUrl, { start: startStr, end: endStr })).catch(() => [])
    calendar.setOption('dayCellTopContent', dayTop(new Map(days.map(day => [day.date, day]))))
  }

  for (const box of picks) box.addEventListener('change', () => calendar.refetchEvents())
  document.addEventListener('hub:undone', () => calendar.refetchEvents())
  document.addEventListener('hub:changed', ({ detail }) => { if (detail.topic === 'posts') calendar.refetchEvents() })
  el.replaceChildren()
  calendar.render()
  el.hubCalendar = calendar
}

arrive('[data-calendar]', mount)
