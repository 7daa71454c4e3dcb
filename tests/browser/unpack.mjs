// Unpacks what @sparticuz/chromium brings into the folder this runs in: the program, its libraries, one Latin font.
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

const unpacked = { 'chromium.br': 'chromium', 'al2023.tar.br': 'libraries.tar', 'fonts.tar.br': 'fonts.tar' }
for (const [packed, name] of Object.entries(unpacked)) {
  const bytes = readFileSync(`node_modules/@sparticuz/chromium/bin/${packed}`)
  writeFileSync(name, brotliDecompressSync(bytes), { mode: 0o755 })
}
