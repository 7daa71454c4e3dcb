// Native dialogs: confirmations that say the consequence, dialogs opened by data-dialog, the side panel.
import { make } from './icon.js'
import { word } from './words.js'
import { htmx } from './boot.js'

/** Asks with the consequence in words and a verb on the button; resolves true or false. */
export function ask(text, { yes = word('confirm'), danger = false } = {}) {
  const no = make('button', 'btn', word('cancel'))
  const go = make('button', `btn ${danger ? 'btn-danger-full' : 'btn-primary'}`, yes)
  no.type = go.type = 'button'
  const [first, ...rest] = text.split(/\n|\\n/)
  const box = make(
    'dialog',
    'dialog',
    '',
    make('div', 'dialog-head', '', make('h2', '', first)),
    make('div', 'dialog-body', '', ...rest.map((line) => make('p', '', line))),
    make('div', 'dialog-foot', '', no, go),
  )
  box.setAttribute('aria-label', first)
  document.body.append(box)
  return new Promise((resolve) => {
    go.onclick = () => box.close('yes')
    no.onclick = () => box.close('')
    box.onclose = () => {
      resolve(box.returnValue === 'yes')
      box.remove()
    }
    show(box)
    go.focus()
  })
}

function show(box) {
  if (box.showModal) {
    if (!box.open) box.showModal()
  } else box.setAttribute('open', '')
}

const agreed = new WeakSet()

/** Holds a click or submit back until the person has agreed, then lets it happen once. */
async function hold(event, el, repeat) {
  if (agreed.delete(el)) return
  event.preventDefault()
  event.stopImmediatePropagation()
  const yes = el.dataset.confirmYes || el.textContent.trim() || word('confirm')
  if (
    await ask(el.dataset.confirm, { yes, danger: 'confirmDanger' in el.dataset || /btn-danger/.test(el.className) })
  ) {
    agreed.add(el)
    repeat()
  }
}

document.addEventListener(
  'click',
  (event) => {
    const el = event.target.closest?.('[data-confirm]:not(form)')
    if (el) hold(event, el, () => el.click())
  },
  true,
)
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target
    if (form.matches('form[data-confirm]')) {
      form.dataset.confirmYes ||= event.submitter?.textContent.trim() || ''
      hold(event, form, () => (form.requestSubmit ? form.requestSubmit(event.submitter) : form.submit()))
    }
  },
  true,
)
document.addEventListener('htmx:confirm', (event) => {
  event.preventDefault()
  const { ctx, issueRequest, dropRequest } = event.detail
  const yes = ctx.sourceElement.textContent.trim().slice(0, 12)
  ask(ctx.confirm, { yes }).then((ok) => (ok ? issueRequest() : dropRequest()))
})

document.addEventListener('click', (event) => {
  const opener = event.target.closest?.('[data-dialog]')
  if (opener) {
    const box = document.getElementById(opener.dataset.dialog)
    if (box) {
      event.preventDefault()
      show(box)
      box.querySelector('[autofocus]')?.focus()
    }
  }
  const closer = event.target.closest?.('[data-close]')
  if (closer) closer.closest('dialog')?.close()
  if (event.target.matches?.('dialog.side, dialog.dialog[data-light]')) event.target.close()
})

/** Loads an address into the panel at the right; without the panel the page itself goes there. */
export function openSide(url, title = '') {
  const side = document.getElementById('side')
  if (!side?.showModal) return location.assign(url)
  side.querySelector('[data-side-title]').textContent = title || word('details')
  const body = side.querySelector('#side-body')
  body.replaceChildren(make('p', 'quiet', word('loading')))
  show(side)
  return htmx.ajax('GET', url, { target: body, swap: 'innerHTML', source: body, headers: { 'X-Panel': 'side' } })
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-side]')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
  event.preventDefault()
  openSide(link.href, link.dataset.side || link.textContent.trim())
})

document.addEventListener('hub:side', ({ detail: { url, title } }) => openSide(url, title))
