// Small hands: copy buttons, file drop, tag chips, bulk selection, menus, rail, kept scroll, greyed buttons that say why.
import { arrive } from './arrive.js'
import { icon, make } from './icon.js'
import { toast } from './toast.js'
import { word } from './words.js'

/** Copies text also where the page is not served over HTTPS (many office networks). */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return
  } catch {
    /* fall through to the old way */
  }
  const area = make('textarea', 'visually-hidden')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
document.addEventListener('click', async (event) => {
  const el = event.target.closest?.('[data-copy], [data-copy-from]')
  if (!el) return
  await copy(el.dataset.copy || document.querySelector(el.dataset.copyFrom)?.innerText || '')
  toast(word('copied'))
})

// The page on paper, as the browser's own menu prints it.
document.addEventListener('click', (event) => {
  if (event.target.closest?.('[data-print]')) print()
})

// Puts a text into a field at the cursor: an earlier answer into the draft.
arrive('[data-insert]', (el) => {
  el.hidden = false
})
document.addEventListener('click', (event) => {
  const el = event.target.closest?.('[data-insert]')
  const field = el && document.querySelector(el.dataset.insert)
  const text = el && document.querySelector(el.dataset.insertFrom)?.textContent.trim()
  if (!field || !text) return
  const before = field.value.slice(0, field.selectionStart)
  const gap = before && !before.endsWith('\n') ? '\n' : ''
  field.setRangeText(gap + text, field.selectionStart, field.selectionEnd, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
  field.focus()
})

const size = (bytes) =>
  bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`

function give(input, files) {
  const box = new DataTransfer()
  for (const file of [...(input.multiple ? input.files : []), ...files].slice(0, input.multiple ? 99 : 1))
    box.items.add(file)
  input.files = box.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}
arrive('[data-drop]', (el) => {
  const input = el.querySelector('input[type=file]'),
    list = el.parentElement.querySelector('[data-drop-list]')
  const over = (yes) => (event) => {
    event.preventDefault()
    el.classList.toggle('drop-over', yes)
  }
  el.addEventListener('dragover', over(true))
  el.addEventListener('dragleave', over(false))
  el.addEventListener('drop', (event) => {
    over(false)(event)
    if (event.dataTransfer.files.length) give(input, event.dataTransfer.files)
  })
  input.addEventListener('change', () =>
    list?.replaceChildren(
      ...[...input.files].map((file) =>
        make(
          'li',
          '',
          '',
          icon('paperclip'),
          make('span', 'clip', file.name),
          make('span', 'quiet push', size(file.size)),
        ),
      ),
    ),
  )
})
document.addEventListener('paste', (event) => {
  const files = event.clipboardData?.files
  const input =
    files?.length && [...document.querySelectorAll('[data-drop] input[type=file]')].find((el) => el.offsetParent)
  if (input) {
    event.preventDefault()
    give(input, files)
  }
})

arrive('[data-tags]', (el) => {
  const name = el.dataset.tags,
    list = el.querySelector('[data-tags-list]'),
    input = el.querySelector('.tag-add input')
  const add = () => {
    const value = input.value.trim()
    if (!value) return
    const known = [...list.querySelectorAll('input')].find((box) => box.value === value)
    if (known) known.checked = true
    else {
      const box = Object.assign(make('input'), { type: 'checkbox', name: input.name, value, checked: true })
      list.append(make('label', 'chip tag-keep', '', box, make('span', '', value), icon('x'), make('span', 'tag-ring')))
    }
    input.value = ''
    el.dispatchEvent(new CustomEvent('change', { bubbles: true, detail: { name, value } }))
  }
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing && input.value.trim()) {
      event.preventDefault()
      add()
    }
  })
})

let lastBox
function tally(form) {
  const n = form.querySelectorAll('.lrow-lead input:checked').length
  for (const bar of document.querySelectorAll(`[data-bulk="${CSS.escape(form.id)}"]`)) {
    bar.hidden = !n
    bar.querySelector('[data-bulk-count]').textContent = word('chosen', { n })
  }
}
document.addEventListener('click', (event) => {
  const box = event.target
  if (box.matches?.('.lrow-lead input[type=checkbox]')) {
    const all = [...box.closest('[data-rows]').querySelectorAll('.lrow-lead input[type=checkbox]')]
    if (event.shiftKey && lastBox && all.includes(lastBox)) {
      const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b)
      for (const other of all.slice(from, to + 1)) other.checked = box.checked
    }
    lastBox = box
    for (const other of all) other.closest('.lrow').classList.toggle('lrow-on', other.checked)
    if (box.form) tally(box.form)
  }
  if (event.target.closest?.('[data-bulk-clear]')) {
    const form = document.getElementById(event.target.closest('[data-bulk]').dataset.bulk)
    for (const other of form.querySelectorAll('.lrow-lead input:checked')) {
      other.checked = false
      other.closest('.lrow').classList.remove('lrow-on')
    }
    tally(form)
  }
})

document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details[data-menu][open]'))
    if (!menu.contains(event.target)) menu.open = false
})
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  const menu = event.target.closest?.('details[data-menu][open]') || document.querySelector('details[data-menu][open]')
  if (menu) {
    menu.open = false
    menu.querySelector('summary').focus()
  }
  document.querySelector('.rail-open')?.classList.remove('rail-open')
})

arrive('[data-pin]', (el) => {
  el.hidden = false
  el.addEventListener('click', () => {
    const on = document.querySelector('[data-shell]').classList.toggle('shell-pinned')
    el.setAttribute('aria-pressed', String(on))
    el.querySelector('use').setAttribute('href', icon(on ? 'pinned' : 'pin').firstChild.getAttribute('href'))
    document.cookie = `rail=${on ? 'pinned' : 'narrow'};path=/;max-age=31536000;samesite=lax`
    dispatchEvent(new Event('resize'))
  })
})
arrive('[data-dialog]', (el) => {
  el.hidden = false
})
document.addEventListener('click', (event) => {
  const rail = document.querySelector('[data-rail]')
  if (event.target.closest?.('[data-drawer]')) {
    event.preventDefault()
    rail.classList.toggle('rail-open')
    rail.querySelector('.rail-link')?.focus()
  } else if (rail?.classList.contains('rail-open') && !rail.contains(event.target)) rail.classList.remove('rail-open')
})

// A list keeps its place when one comes back to it.
arrive('[data-keep-scroll]', (el) => {
  const key = `scroll:${el.dataset.keepScroll}:${location.pathname.split('/')[1]}${location.search}`
  el.scrollTop = Number(sessionStorage.getItem(key)) || 0
  if (!el.scrollTop) el.querySelector('.lrow-chosen')?.scrollIntoView({ block: 'center' })
  el.addEventListener('scroll', () => sessionStorage.setItem(key, el.scrollTop), { passive: true })
})
arrive('[data-focus]', (el) => el.focus())
document.addEventListener('click', (event) => {
  if (event.target.closest?.('[data-why]')) event.preventDefault()
})

/** A tip stands in the window, not in a pane that would cut it off. */
function placeTip(event) {
  const why = event.target.closest?.('.why'),
    tip = why?.querySelector('.why-tip')
  if (!tip) return
  const at = why.getBoundingClientRect(),
    size = tip.getBoundingClientRect()
  tip.style.position = 'fixed'
  tip.style.right = tip.style.bottom = 'auto'
  tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`
  tip.style.top = `${at.top - size.height - 6 > 8 ? at.top - size.height - 6 : at.bottom + 6}px`
}
document.addEventListener('mouseover', placeTip)
document.addEventListener('focusin', placeTip)
