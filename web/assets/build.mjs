// Bundles the front end into HUB_STATIC (default ../static): scripts, styles, icon sprite, web font. Nothing built is committed.
import { build } from 'esbuild'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { pick } from './tabler.mjs'

process.chdir(import.meta.dirname)
const out = process.env.HUB_STATIC || '../static'
const require = createRequire(import.meta.url)
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

/** `@import "tabler"` in CSS means the picked part of Tabler. */
const tabler = {
  name: 'tabler',
  setup(b) {
    b.onResolve({ filter: /^tabler$/ }, () => ({ path: 'tabler', namespace: 'tabler' }))
    b.onLoad({ filter: /.*/, namespace: 'tabler' }, () => ({
      contents: pick(readFileSync(require.resolve('@tabler/core/dist/css/tabler.css'), 'utf8')),
      loader: 'css',
    }))
  },
}

await build({
  entryPoints: {
    app: 'js/app.js',
    calendar: 'js/calendar.js',
    composer: 'js/composer.js',
    charts: 'js/charts.js',
    'app-style': 'css/app.css',
    fonts: 'css/fonts.css',
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome87', 'firefox88'],
  outdir: out,
  legalComments: 'linked',
  loader: { '.woff2': 'file' },
  assetNames: 'fonts/[name]',
  logLevel: 'warning',
  plugins: [tabler],
})

/** One sprite with only the icons of icons.json; an unknown name stops the build. */
function sprite(names) {
  const symbol = (name) => {
    const svg = readFileSync(`node_modules/@tabler/icons/icons/outline/${name}.svg`, 'utf8')
    const body = svg
      .replace(/<!--[^]*?-->/g, '')
      .replace(/^[^]*?<svg[^>]*>/, '')
      .replace(/<\/svg>[^]*$/, '')
      .replace(/\s+/g, ' ')
      .trim()
    return `<symbol id="i-${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join('')}</svg>`
}
writeFileSync(`${out}/icons.svg`, sprite(JSON.parse(readFileSync('icons.json', 'utf8'))))

copyFileSync('mark.svg', `${out}/mark.svg`)

const sizes = ['app.js', 'app-style.css', 'fonts.css', 'icons.svg', 'calendar.js', 'calendar.css', 'charts.js']
for (const name of sizes) {
  const bytes = readFileSync(`${out}/${name}`)
  console.log(
    `${name.padEnd(14)} ${String(Math.round(statSync(`${out}/${name}`).size / 1024)).padStart(4)} KB, ${Math.round(gzipSync(bytes).length / 1024)} KB gzip`,
  )
}
