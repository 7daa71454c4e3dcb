// Few kinds of charts, labelled directly, in the page's own colours: line, bar, stacked, donut. Every chart is also a table and a picture.
import * as echarts from 'echarts/core'
import { BarChart, LineChart, PieChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { CanvasRenderer } from 'echarts/renderers'
import { arrive } from './arrive.js'
import { make } from './icon.js'
import { load } from './server.js'
import { language, word } from './words.js'

echarts.use([LineChart, BarChart, PieChart, GridComponent, TooltipComponent, LegendComponent, CanvasRenderer])

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
const figure = (n) => (n == null ? '–' : new Intl.NumberFormat(language).format(n))
const colourOf = (item, i) => token(item.colour || `c${(i % 8) + 1}`)

function frame() {
  return {
    font: getComputedStyle(document.body).fontFamily,
    ink: token('ink'),
    soft: token('ink-2'),
    quiet: token('ink-3'),
    line: token('line'),
    edge: token('line-2'),
    paper: token('paper'),
  }
}

/** Tooltips are drawn, not written as markup: the page's policy allows no style attributes. */
function tooltip(look, trigger, unit) {
  return {
    trigger,
    renderMode: 'richText',
    confine: true,
    backgroundColor: look.paper,
    borderColor: look.edge,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: look.ink, fontFamily: look.font, fontSize: 13, lineHeight: 20 },
    axisPointer: { type: trigger === 'axis' ? 'line' : 'none', lineStyle: { color: look.edge } },
    formatter: (given) =>
      []
        .concat(given)
        .reduce(
          (lines, one) => [
            ...lines,
            `${one.seriesName && trigger === 'axis' ? one.seriesName : one.name}  ${unit ? word('amount', { n: figure(one.value), unit }) : figure(one.value)}`,
          ],
          trigger === 'axis' ? [[].concat(given)[0].name] : [],
        )
        .join('\n'),
  }
}

function donut(data, look, width) {
  const series = data.series[0],
    total = series.data.reduce((sum, n) => sum + (n || 0), 0)
  const share = (n) => `${Math.round((n / total) * 100)}%`
  const say = (name, value) => word('part', { name, n: figure(value), share: share(value) })
  const narrow = width < 480
  return {
    tooltip: tooltip(look, 'item', data.unit || ''),
    legend: narrow
      ? {
          bottom: 0,
          left: 'center',
          itemWidth: 10,
          itemHeight: 10,
          selectedMode: false,
          textStyle: { color: look.ink, fontFamily: look.font, fontSize: 13 },
          formatter: (name) => say(name, series.data[data.labels.indexOf(name)]),
        }
      : undefined,
    series: [
      {
        type: 'pie',
        radius: narrow ? ['44%', '66%'] : ['52%', '76%'],
        center: ['50%', narrow ? '40%' : '50%'],
        padAngle: 1,
        avoidLabelOverlap: true,
        itemStyle: { borderColor: look.paper, borderWidth: 2 },
        label: {
          show: !narrow,
          color: look.ink,
          fontFamily: look.font,
          fontSize: 13,
          formatter: ({ name, value }) => say(name, value),
        },
        labelLine: { lineStyle: { color: look.edge } },
        data: data.labels.map((name, i) => ({
          name,
          value: series.data[i],
          itemStyle: { color: token((data.colours || [])[i] || `c${(i % 8) + 1}`) },
        })),
      },
    ],
  }
}

/** How wide a name will be: Chinese signs are about 13 px, Latin letters 7. */
const wide = (name) => [...name].reduce((sum, sign) => sum + (sign > '\u2e7f' ? 13 : 7), 0)

/** How many lines the legend will take, filled as the chart fills them; a mark and its gaps are 30 px. */
function legendLines(series, width) {
  let lines = 1,
    used = 0
  for (const { name = '' } of series) {
    const needs = wide(name) + 30
    if (used && used + needs > width) [lines, used] = [lines + 1, 0]
    used += needs
  }
  return lines
}

function plane(data, look, width) {
  const bars = data.kind !== 'line',
    lying = bars && data.horizontal,
    one = data.series.length === 1
  const names = {
    type: 'category',
    data: data.labels,
    inverse: Boolean(lying),
    boundaryGap: bars,
    axisLine: { lineStyle: { color: look.edge } },
    axisTick: { show: false },
    axisLabel: {
      color: look.soft,
      fontFamily: look.font,
      fontSize: 12,
      hideOverlap: true,
      ...(lying ? { width: 130, overflow: 'truncate' } : {}),
    },
  }
  const figures = {
    type: 'value',
    min: bars ? 0 : undefined,
    minInterval: 1,
    splitLine: { lineStyle: { color: look.line } },
    axisLabel: { color: look.quiet, fontFamily: look.font, fontSize: 12, formatter: (n) => figure(n) },
  }
  return {
    grid: {
      left: 8,
      right: !bars && !one ? 84 : lying ? 48 : 16,
      top: one || !bars ? 16 : 14 + 22 * legendLines(data.series, width),
      bottom: 4,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: tooltip(look, 'axis', data.unit || ''),
    legend:
      bars && !one
        ? {
            left: 0,
            top: 0,
            itemWidth: 10,
            itemHeight: 10,
            icon: 'roundRect',
            textStyle: { color: look.soft, fontFamily: look.font, fontSize: 13 },
          }
        : undefined,
    xAxis: lying ? { ...figures, splitLine: { show: false }, axisLabel: { show: false } } : names,
    yAxis: lying ? names : figures,
    series: data.series.map((series, i) => ({
      name: series.name,
      type: bars ? 'bar' : 'line',
      data: series.data,
      stack: data.kind === 'stacked' ? 'all' : undefined,
      barMaxWidth: lying ? 18 : 32,
      symbol: 'circle',
      symbolSize: data.labels.length > 31 ? 0 : 5,
      lineStyle: { width: 2 },
      itemStyle: { color: colourOf(series, i), borderRadius: bars && data.kind !== 'stacked' ? 2 : 0 },
      connectNulls: false,
      endLabel:
        bars || one
          ? undefined
          : { show: true, formatter: '{a}', color: colourOf(series, i), fontFamily: look.font, fontSize: 13 },
      labelLayout: bars ? undefined : { moveOverlap: 'shiftY' },
      label:
        bars && one && data.labels.length <= 12
          ? {
              show: true,
              position: lying ? 'right' : 'top',
              color: look.soft,
              fontFamily: look.font,
              fontSize: 12,
              formatter: ({ value }) => figure(value),
            }
          : undefined,
    })),
  }
}

const empty = (data) => !data.labels?.length || !data.series?.some((series) => series.data?.some((n) => n))

function table(data) {
  const row = (cell, cells) =>
    make('tr', '', '', ...cells.map((text, i) => make(i ? cell : 'th', i ? 'num' : '', text)))
  const head = make(
    'thead',
    '',
    '',
    row('th', [word('item'), ...data.series.map((series) => series.name || data.unit || '')]),
  )
  const body = make(
    'tbody',
    '',
    '',
    ...data.labels.map((label, i) => row('td', [label, ...data.series.map((series) => figure(series.data[i]))])),
  )
  return make('table', 'table table-tight', '', head, body)
}

async function draw(el) {
  const box = el.querySelector('.chart-draw')
  let data
  try {
    data = await load(el.dataset.chartSrc)
  } catch {
    return box.replaceChildren(make('div', 'chart-wait', word('chart_failed')))
  }
  if (empty(data)) return box.replaceWith(make('div', 'chart-empty', data.empty || word('no_data')))
  const look = frame()
  // A canvas does not fetch web fonts by itself: without this single boxes would stand where no Chinese font is installed.
  await document.fonts
    ?.load(`13px ${look.font}`, JSON.stringify([data.labels, data.series.map((series) => series.name)]))
    .catch(() => {})
  box.replaceChildren()
  if (data.kind === 'bar' && data.horizontal) box.style.height = `${Math.max(120, data.labels.length * 34 + 12)}px`
  if (data.kind === 'stacked') box.style.height = `${258 + 22 * legendLines(data.series, box.clientWidth)}px`
  const chart = echarts.init(box)
  const paint = () =>
    chart.setOption(
      {
        animationDuration: 250,
        textStyle: { fontFamily: frame().font },
        ...(data.kind === 'donut' ? donut(data, frame(), box.clientWidth) : plane(data, frame(), box.clientWidth)),
      },
      true,
    )
  paint()
  if (data.links)
    chart.on('click', ({ dataIndex }) => {
      const to = data.links[dataIndex]
      if (to) location.assign(to)
    })
  let width = box.clientWidth
  new ResizeObserver(() => {
    chart.resize()
    if (width !== box.clientWidth && box.clientWidth) {
      width = box.clientWidth
      paint()
    }
  }).observe(box)
  new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  addEventListener('beforeprint', () => chart.resize())
  tools(el, chart, data)
}

function tools(el, chart, data) {
  const box = el.querySelector('.chart-draw'),
    rows = el.querySelector('.chart-table'),
    turn = el.querySelector('[data-chart-table]'),
    save = el.querySelector('[data-chart-save]')
  el.querySelector('.chart-tools').hidden = false
  rows.replaceChildren(table(data))
  turn.addEventListener('click', () => {
    const numbers = rows.hidden
    rows.hidden = !numbers
    box.hidden = numbers
    turn.setAttribute('aria-pressed', String(numbers))
    turn.querySelector('span').textContent = word(numbers ? 'picture' : 'numbers')
    save.hidden = numbers
    if (!numbers) chart.resize()
  })
  save.addEventListener('click', () => {
    const link = make('a')
    link.href = chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: token('paper') })
    link.download = `${save.dataset.chartSave}.png`
    link.click()
  })
}

arrive('[data-chart]', draw)
