// Elements, pictures and sheets on a canvas. Each file here goes on from the one before: together they are one module.

const PAD = 2, FONT = "13px sans-serif"

function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value
    else element.setAttribute(key, value)
  }
  element.dataset.lmSuppressShortcuts = "" // JupyterLab's own keys
  element.append(...children)
  return element
}

function choices(select, titles) { // an open list is left alone while nothing in it changes
  if (select.dataset.titles === titles.join("\n")) return
  select.dataset.titles = titles.join("\n")
  select.replaceChildren(...titles.map((title, i) => h("option", { value: i }, title)))
}

function put(context, x, { size, channels }, left = 0, top = 0) { // x: bytes [C, H, W]
  const image = context.createImageData(size, size), area = size * size
  for (let p = 0; p < area; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = x[(channels === 3 ? c * area : 0) + p]
    image.data[4 * p + 3] = 255
  }
  context.putImageData(image, left, top)
}

function alone(x, run) {
  const canvas = h("canvas", { width: run.size, height: run.size })
  put(canvas.getContext("2d"), x, run)
  return canvas
}

// A sheet: pictures (null: an empty place) in columns, the one in marks[row] framed, heads above and sides at the left.
function drawSheet(canvas, run, pictures, { columns, marks = [], heads = [], sides = [], corner = "", wide }, colour) {
  const pad = pictures.length > 1 ? PAD : 0, step = run.size + pad, rows = Math.ceil(pictures.length / columns)
  const cells = h("canvas", { width: columns * step + pad, height: rows * step + pad }), inner = cells.getContext("2d")
  inner.fillStyle = colour("--faint")
  inner.fillRect(0, 0, cells.width, cells.height)
  inner.fillStyle = colour("--set")
  marks.forEach((m, r) => inner.fillRect(m * step, r * step, step + PAD, step + PAD))
  pictures.forEach((x, i) => x && put(inner, x, run, pad + (i % columns) * step, pad + Math.floor(i / columns) * step))
  const scale = Math.max(1, Math.round(wide / cells.width)), pen = canvas.getContext("2d")
  pen.font = FONT
  const left = sides.length && 8 + Math.max(...[...sides, corner].map(text => pen.measureText(text).width))
  const top = heads.length && 6 + 15 * heads.length
  canvas.width = left + cells.width * scale
  canvas.height = top + cells.height * scale + (run.note ? 20 : 0)
  pen.fillStyle = colour("--faint")
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.imageSmoothingEnabled = scale > 1
  pen.drawImage(cells, left, top, cells.width * scale, cells.height * scale)
  Object.assign(pen, { font: FONT, fillStyle: colour("--ink"), textAlign: "center", textBaseline: "middle" })
  heads.forEach((line, r) => line.forEach((text, i) => pen.fillText(text, left + (i + 0.5) * step * scale, 11 + 15 * r)))
  pen.fillText(corner, left / 2, 11)
  sides.forEach((text, i) => pen.fillText(text, left / 2, top + (i + 0.5) * step * scale))
  if (run.note) pen.fillText(run.note, canvas.width / 2, canvas.height - 10, canvas.width)
}

// Q(c|x) as rows of symbol, chart and words; `values` is what was set, nothing between two settings.
const best = q => q.reduce((top, p, k) => (p > q[top] ? k : top), 0)
const named = (c, k) => (c.names[k] ? `${k}: ${c.names[k]}` : `${k}`)
const inWords = (q, c) => // a fixed sigma is not read in the picture
 
  c.k ? `${named(c, best(q))} (${Math.round(100 * q[best(q)])}%)` : `${q[0].toFixed(2).replace("-0.00", "0.00")}${c.sigma ? "" : ` ± ${q[1].toFixed(2)}`}`

function chart(codes, reading, values) {
  const across = v => 100 * (Math.min(2.5, Math.max(-2.5, v)) + 2.5) / 5
  const key = h("span", { className: "key" }, h("b", { className: "read" }, "blue"), ": what Q reads; ", h("b", { className: "put" }, "orange"), ": what you set")
  return [key, ...codes.flatMap((c, i) => {
    const q = reading[i], bars = h("div", { className: "chart", "aria-hidden": "true" })
    if (c.k) q.forEach((p, k) => {
      const kind = `${k === best(q) ? "read" : ""} ${k === values[i] ? "set" : ""}`
      const bar = h("i", { className: kind.trim() })
      bar.style.height = `${100 * p}%`
      bars.append(bar)
    })
    else for (const [kind, from, to] of [["spread", q[0] - q[1], q[0] + q[1]], ["mean", q[0]], ["put", values[i]]]) {
      if (from === undefined || (kind === "spread" && c.sigma)) continue
      const mark = h("b", { className: kind })
      mark.style.left = `${across(from)}%`
      if (to !== undefined) mark.style.width = `${across(to) - across(from)}%`
      bars.append(mark)
    }
    return [h("span", {}, c.symbol), bars, h("span", {}, inWords(q, c))]
  })]
}
