// Pictures of a post: chosen, dragged in or pasted, sent at once; their order by dragging or by the arrow buttons.
import { arrive } from './arrive.js'
import { make } from './icon.js'
import { csrf } from './server.js'
import { toast } from './toast.js'
import { word } from './words.js'

const isPicture = (file) => file.type.startsWith('image/')

arrive('[data-pictures]', (el) => {
  const form = el.closest('form'),
    list = el.querySelector('[data-pictures-list]'),
    input = el.querySelector('input[type=file]'),
    zone = el.querySelector('[data-pictures-zone]'),
    busy = el.querySelector('[data-pictures-busy]')
  zone.hidden = false
  input.disabled = false
  const changed = () => form.dispatchEvent(new Event('change', { bubbles: true }))

  async function send(file) {
    const body = new FormData()
    body.append('file', file, file.name || 'picture')
    try {
      const answer = await fetch('/pictures', {
        method: 'POST',
        mode: 'same-origin',
        credentials: 'same-origin',
        headers: { 'X-CSRF-Token': csrf(), Accept: 'application/json' },
        body,
      })
      if (!answer.ok) {
        const { reasons, detail } = await answer.json().catch(() => ({}))
        return refuse(file, (reasons || []).join(' ') || detail || answer.status)
      }
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      add(document.adoptNode(page.querySelector('[data-picture]')))
    } catch {
      refuse(file, word('server_down'))
    }
  }

  // A cover taken from the post's video stands first.
  el.addEventListener('picture', ({ detail }) => {
    add(detail)
    list.prepend(detail)
    changed()
  })

  const refuse = (file, why) =>
    toast({ text: word('picture_refused', { name: file.name, why }), kind: 'error' })

  function add(line) {
    const number = line.querySelector('[name=picture]').value
    const same = list.querySelector(`[name=picture][value="${CSS.escape(number)}"]`)
    if (same) same.closest('[data-picture]').remove()
    list.append(line)
  }

  async function sendAll(files) {
    const pictures = [...files]
    for (const [done, file] of pictures.entries()) {
      busy.textContent = word('sending_file', { n: done + 1, all: pictures.length, name: file.name })
      await send(file)
    }
    busy.textContent = ''
    input.value = ''
    changed()
  }

  input.addEventListener('change', (event) => {
    event.stopPropagation()
    if (input.files.length) sendAll(input.files)
  })
  form.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files || [])].filter(isPicture)
    if (!files.length) return
    event.preventDefault()
    sendAll(files)
  })
  for (const name of ['dragover', 'dragleave', 'drop'])
    zone.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      zone.classList.toggle('drop-over', name === 'dragover')
      if (name === 'drop') sendAll(event.dataTransfer.files)
    })

  el.addEventListener('click', (event) => {
    const button = event.target.closest('button'),
      line = button?.closest('[data-picture]')
    if (!line) return
    if ('pictureRemove' in button.dataset) {
      const next = line.nextElementSibling || line.previousElementSibling
      line.remove()
      ;(next?.querySelector('[data-picture-remove]') || input).focus()
      changed()
    } else if (button.dataset.pictureMove) {
      if (button.dataset.pictureMove === '1') line.nextElementSibling?.after(line)
      else line.previousElementSibling?.before(line)
      button.focus()
      changed()
    }
  })

  let dragged
  list.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[data-picture]')
    if (event.target.closest?.('textarea, select')) return event.preventDefault()
    event.dataTransfer.effectAllowed = 'move'
    dragged?.classList.add('pic-moving')
  })
  list.addEventListener('dragover', (event) => {
    const over = event.target.closest?.('[data-picture]')
    if (!dragged || !over || over === dragged) return
    event.preventDefault()
    const lines = [...list.children]
    if (lines.indexOf(over) > lines.indexOf(dragged)) over.after(dragged)
    else over.before(dragged)
  })
  list.addEventListener('dragend', () => {
    dragged?.classList.remove('pic-moving')
    dragged = undefined
    changed()
  })
})
