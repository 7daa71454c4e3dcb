const sprite = document.querySelector('svg use')?.getAttribute('href')?.split('#')[0] || '/static/icons.svg'
const SVG = 'http://www.w3.org/2000/svg'

/** One picture of the sprite as an element. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  svg.appendChild(document.createElementNS(SVG, 'use')).setAttribute('href', `${sprite}#i-${name}`)
  return svg
}

/** An element with class, text and children: the only way scripts build markup, so no text is ever read as HTML. */
export function make(tag, cls = '', text = '', ...children) {
  const el = document.createElement(tag)
  if (cls) el.className = cls
  if (text) el.textContent = text
  el.append(...children)
  return el
}
