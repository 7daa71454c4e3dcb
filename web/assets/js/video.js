// The video of a post: sent in pieces, going on where it was after a break; a cover taken at the moment shown.
import { arrive } from './arrive.js'
import { csrf } from './server.js'
import { toast } from './toast.js'
import { word } from './words.js'

const RETRIES = [1, 2, 4, 8, 15, 30, 30, 30, 30, 30]
const seconds = (n) => new Promise((done) => setTimeout(done, n * 1000))

class Refused extends Error {}

async function ask(method, url, body, signal, type) {
  const answer = await fetch(url, {
    method,
    mode: 'same-origin',
    credentials: 'same-origin',
    signal,
    headers: { 'X-CSRF-Token': csrf(), Accept: 'application/json', ...(type ? { 'Content-Type': type } : {}) },
    body,
  })
  if (answer.ok && !answer.redirected) return answer
  if (answer.status >= 500 && answer.status !== 507) throw new Error(String(answer.status))
  const { reasons, detail, title } = await answer.json().catch(() => ({}))
  throw new Refused((reasons || []).join(' ') || detail || title || word('forbidden'))
}
const asJson = (method, url, value, signal) => ask(method, url, JSON.stringify(value), signal, 'application/json')

arrive('[data-video]', (el) => {
  const form = el.closest('form'),
    place = el.querySelector('[data-video-place]'),
    zone = el.querySelector('[data-video-zone]'),
    input = el.querySelector('input[type=file]'),
    coming = el.querySelector('[data-video-coming]'),
    step = el.querySelector('[data-video-step]'),
    share = el.querySelector('[data-video-share]'),
    bar = el.querySelector('[data-video-bar]'),
    again = el.querySelector('[data-video-again]')
  const changed = () => form.dispatchEvent(new Event('change', { bubbles: true }))
  let running, waking

  function settle() {
    const there = place.querySelector('[data-video-one]')
    zone.hidden = Boolean(there || running)
    coming.hidden = !running
    const cover = place.querySelector('[data-video-cover]')
    if (cover) cover.hidden = false
  }

  function shown(offset, size) {
    const part = Math.floor((100 * offset) / size)
    bar.value = part
    share.textContent = `${part}%`
  }

  async function pieces(file, one, signal) {
    let { offset } = one
    for (let tries = 0; offset < file.size; ) {
      shown(offset, file.size)
      step.textContent = word('video_sending', { name: file.name })
      again.hidden = true
      try {
        const piece = file.slice(offset, offset + one.piece)
        const url = `/videos/coming/${one.token}?offset=${offset}`
        const answer = await ask('PUT', url, piece, signal, 'application/octet-stream')
        offset = (await answer.json()).offset
        tries = 0
      } catch (error) {
        if (signal.aborted || error instanceof Refused) throw error
        await pause(tries++)
        if (signal.aborted) throw error
        offset = await known(one, offset, signal)
      }
    }
    shown(file.size, file.size)
  }

  /** After a break: wait a little longer each time, or until somebody presses the button. */
  async function pause(tries) {
    const last = tries >= RETRIES.length
    step.textContent = word(last ? 'video_stopped' : 'video_broken')
    again.hidden = false
    const woken = new Promise((wake) => (waking = wake))
    await (last ? woken : Promise.race([seconds(RETRIES[tries]), woken]))
  }

  async function known(one, offset, signal) {
    try {
      return (await (await ask('GET', `/videos/coming/${one.token}`, undefined, signal)).json()).offset
    } catch (error) {
      if (error instanceof Refused) throw error
      return offset
    }
  }

  async function looked(one, signal) {
    step.textContent = word('video_checking')
    share.textContent = ''
    bar.removeAttribute('value')
    for (let tries = 0; ; ) {
      try {
        const answer = await ask('POST', `/videos/coming/${one.token}/done`, undefined, signal)
        if (answer.status !== 202) return await answer.text()
        await seconds(2)
      } catch (error) {
        if (signal.aborted || error instanceof Refused || tries >= RETRIES.length) throw error
        await seconds(RETRIES[tries++])
      }
    }
  }

  async function send(file) {
    if (running || !file) return
    const control = new AbortController()
    running = { control }
    settle()
    shown(0, file.size || 1)
    step.textContent = word('video_sending', { name: file.name })
    try {
      const begun = await asJson('POST', '/videos/coming', { name: file.name, size: file.size }, control.signal)
      running.one = await begun.json()
      await pieces(file, running.one, control.signal)
      const page = new DOMParser().parseFromString(await looked(running.one, control.signal), 'text/html')
      place.replaceChildren(document.adoptNode(page.querySelector('[data-video-one]')))
      changed()
    } catch (error) {
      if (!control.signal.aborted) {
        const why = error instanceof Refused ? error.message : word('server_down')
        toast({ text: word('video_refused', { why }), kind: 'error' })
      }
    }
    running = undefined
    input.value = ''
    settle()
  }

  zone.hidden = false
  input.disabled = false
  settle()
  input.addEventListener('change', (event) => {
    event.stopPropagation()
    send(input.files[0])
  })
  for (const name of ['dragover', 'dragleave', 'drop'])
    zone.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      zone.classList.toggle('drop-over', name === 'dragover')
      if (name === 'drop') send(event.dataTransfer.files[0])
    })
  again.addEventListener('click', () => waking?.())
  window.addEventListener('online', () => waking?.())
  window.addEventListener('beforeunload', (event) => {
    if (running) event.preventDefault()
  })
  el.querySelector('[data-video-stop]').addEventListener('click', () => {
    const { control, one } = running || {}
    control?.abort()
    waking?.()
    if (one) ask('DELETE', `/videos/coming/${one.token}`).catch(() => {})
  })

  el.addEventListener('click', async (event) => {
    const button = event.target.closest('button')
    if (!button) return
    if ('videoRemove' in button.dataset) {
      place.replaceChildren()
      settle()
      input.focus()
      changed()
    } else if ('videoCover' in button.dataset) {
      const player = place.querySelector('[data-video-player]'),
        number = place.querySelector('[name=video]').value
      button.disabled = true
      try {
        const at = player?.currentTime || 1
        const answer = await asJson('POST', `/videos/${number}/cover`, { at })
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
        const line = document.adoptNode(page.querySelector('[data-picture]'))
        form.querySelector('[data-pictures]').dispatchEvent(new CustomEvent('picture', { detail: line }))
      } catch (error) {
        toast({ text: error instanceof Refused ? error.message : word('server_down'), kind: 'error' })
      }
      button.disabled = false
    }
  })
})
