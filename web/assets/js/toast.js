// Short news at the bottom of the page. Errors stay until closed; undo is offered for 10 s, where the server says it is honest.
import { icon, make } from './icon.js'
import { post } from './server.js'
import { word } from './words.js'
import { arrive } from './arrive.js'

const STAYS = 5000
const UNDO_STAYS = 10000

const frame = () => document.getElementById('toasts') || document.body.appendChild(make('div', 'toasts'))

/** Adds the buttons and the clock to a toast element. */
function furnish(el, { undo_url: undoUrl, href, link, stays }) {
  if (undoUrl) {
    const undo = make('button', 'toast-undo', word('undo'))
    undo.type = 'button'
    undo.onclick = () => takeBack(el, undoUrl)
    el.append(undo)
  }
  if (href) {
    const a = make('a', 'toast-undo', link)
    a.href = href
    el.append(a)
  }
  const close = make('button', 'toast-x', '', icon('x'))
  close.type = 'button'
  close.setAttribute('aria-label', word('close'))
  close.onclick = () => el.remove()
  el.append(close)
  if (stays) keepFor(el, stays)
}

/** Removes el after some time, but not while a pointer or the focus is on it. */
function keepFor(el, time) {
  let timer = setTimeout(() => el.remove(), time)
  const hold = () => clearTimeout(timer)
  const release = () => {
    hold()
    timer = setTimeout(() => el.remove(), 3000)
  }
  el.addEventListener('mouseenter', hold)
  el.addEventListener('focusin', hold)
  el.addEventListener('mouseleave', release)
  el.addEventListener('focusout', release)
}

async function takeBack(el, url) {
  el.querySelector('.toast-undo').disabled = true
  const answer = await post(url)
  el.remove()
  toast({
    text: answer.data.text || answer.data.detail || word(answer.ok ? 'undone' : 'undo_failed'),
    kind: answer.ok ? '' : 'error',
  })
  if (answer.ok) document.body.dispatchEvent(new CustomEvent('hub:undone', { bubbles: true }))
}

/** Shows {text, kind: '' | 'error', undo_url?, href?, link?, list?: reasons}. */
export function toast(given) {
  const { text, kind = '', list = [] } = typeof given === 'string' ? { text: given } : given
  const say = make('span', 'toast-text', text)
  if (list.length) say.append(make('ul', '', '', ...list.map((line) => make('li', '', line))))
  const el = make('div', `toast${kind ? ` toast-${kind}` : ''}`, '', say)
  if (kind === 'error') el.setAttribute('role', 'alert')
  furnish(el, { ...given, stays: kind === 'error' ? 0 : given.undo_url ? UNDO_STAYS : STAYS })
  frame().append(el)
  while (frame().children.length > 4) frame().firstElementChild.remove()
  return el
}

arrive('[data-toast]', (el) => {
  if (!el.querySelector('.toast-x'))
    furnish(el, {
      undo_url: el.dataset.undoUrl,
      stays: el.classList.contains('toast-error') ? 0 : el.dataset.undoUrl ? UNDO_STAYS : STAYS,
    })
})
document.addEventListener('toast', (event) => toast(event.detail.value ?? event.detail))
