// Everything a page of the hub needs except calendar and charts.
import { htmx } from './boot.js'
import './toast.js'
import './dialog.js'
import './live.js'
import './keys.js'
import './drafts.js'
import './counter.js'
import './findings.js'
import './times.js'
import './hands.js'
import './share.js'

window.htmx = htmx
