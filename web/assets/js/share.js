// The files of a pack go straight to another app on the phone, where the browser can hand files over; elsewhere no button is there, and they are downloaded.
import { toast } from './toast.js'
import { word } from './words.js'

const fetched = new WeakMap()

/** Browsers have it on secure pages only, some for texts but not for files. */
function canShareFiles() {
  try {
    return navigator.canShare({ files: [new File(['-'], '1.jpg', { type: 'image/jpeg' })] })
  } catch {
    return false
  }
}
// Not by taking away `hidden`: a live region that is fetched again would put it back.
if (canShareFiles()) document.documentElement.dataset.shares = ''

async function file(el) {
  const answer = await fetch(el.src || el.href)
  if (!answer.ok || answer.redirected) throw new Error(answer.statusText)
  const blob = await answer.blob()
  const ending = blob.type.split('/')[1].replace('jpeg', 'jpg')
  return new File([blob], `${el.dataset.shareName}.${ending}`, { type: blob.type })
}

async function share(el) {
  const isSecond = fetched.has(el)
  try {
    if (!isSecond)
      fetched.set(el, await Promise.all([...el.closest('section').querySelectorAll('[data-share-name]')].map(file)))
    await navigator.share({ files: fetched.get(el) })
    fetched.delete(el)
  } catch (error) {
    if (error.name === 'AbortError') return // the person closed the list of apps
    // A tap counts for a few seconds; where fetching took longer, the next one finds the files there.
    if (error.name === 'NotAllowedError' && !isSecond) return toast(word('share_again'))
    fetched.delete(el)
    toast({ text: word('share_failed'), kind: 'error' })
  }
}

document.addEventListener('click', async (event) => {
  const el = event.target.closest?.('[data-share]')
  if (!el || el.getAttribute('aria-busy') === 'true') return
  el.setAttribute('aria-busy', 'true')
  await share(el)
  el.removeAttribute('aria-busy')
})
