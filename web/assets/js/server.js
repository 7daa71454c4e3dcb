// How scripts speak to our own server: always the same origin, always with the CSRF header.
export const csrf = () => document.querySelector('meta[name="csrf"]')?.content || ''

/** Sends JSON (or nothing) by POST; resolves with {ok, status, data}, data being {} when the answer is no JSON. Never rejects: status 0 is "no answer". */
export async function post(url, body) {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      mode: 'same-origin',
      credentials: 'same-origin',
      headers: {
        'X-CSRF-Token': csrf(),
        Accept: 'application/json',
        ...(body ? { 'Content-Type': 'application/json' } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
    })
    return { ok: answer.ok && !answer.redirected, status: answer.status, data: await answer.json().catch(() => ({})) }
  } catch {
    return { ok: false, status: 0, data: {} }
  }
}

/** Fetches JSON; rejects with the status when the server refuses. */
export async function load(url) {
  const answer = await fetch(url, {
    mode: 'same-origin',
    credentials: 'same-origin',
    headers: { Accept: 'application/json' },
  })
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.json()
}
