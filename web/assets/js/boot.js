// htmx with our manners: CSRF on every request, no whole page swapped into a corner, refusals said in words.
import htmx from 'htmx.org'
import { csrf } from './server.js'
import { toast } from './toast.js'
import { word } from './words.js'

htmx.config.noSwap = [204, 286, 304, 401, '5xx']
htmx.config.includeIndicatorCSS = false

const quiet = (el) => !!el?.closest?.('[data-live], [data-poll]')

document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
  ctx.request.headers['X-CSRF-Token'] = csrf()
  // What a page asks by itself is no sign of a person: the session still ends when nobody is there.
  if (quiet(ctx.sourceElement)) ctx.request.headers['X-Background'] = '1'
})

document.addEventListener('htmx:after:request', (event) => {
  const { ctx } = event.detail
  const whole = /^\s*<!doctype/i.test(ctx.text || '')
  if (!whole || ctx.target === document.body || ctx.select) return
  // A whole page for a fragment: the server sent us elsewhere (sign-in) or failed with an error page. Neither belongs inside this one.
  event.preventDefault()
  if (ctx.response.raw.redirected && quiet(ctx.sourceElement)) refuse(401)
  else if (ctx.response.raw.redirected) location.assign(ctx.response.raw.url)
  else if (ctx.response.status < 400) location.reload()
  else if (!quiet(ctx.sourceElement)) refuse(ctx.response.status)
})

document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  const { status } = ctx.response
  if (ctx.hx.trigger?.includes('toast') || /^\s*<!doctype/i.test(ctx.text || '')) return
  const silent = quiet(ctx.sourceElement)
  if (status === 401 && silent && document.querySelector('[data-signed-out]')) return
  if (status === 401 || (!silent && (status >= 500 || !ctx.text))) refuse(status)
})

document.addEventListener('htmx:error', ({ detail: { ctx, error } }) => {
  if (ctx && !quiet(ctx.sourceElement)) toast({ text: word('server_down'), kind: 'error' })
  if (!ctx) console.error(error)
})

function refuse(status) {
  if (status === 401)
    toast({
      text: word('signed_out'),
      kind: 'error',
      href: `/login?next=${encodeURIComponent(location.pathname + location.search)}`,
      link: word('sign_in'),
    }).dataset.signedOut = ''
  else if (status === 403) toast({ text: word('forbidden'), kind: 'error' })
  else toast({ text: status >= 500 ? word('server_down') : word('failed', { why: status }), kind: 'error' })
}

export { htmx }
