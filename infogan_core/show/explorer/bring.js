// Pictures that come in: drawn, brought as a file, or one of the samples. Q reads them; noise is fitted to them.

const LARGEST = 64, LETTERS = "ABCDEFGH", FIT_SECONDS = 2

App.prototype.bring = async function (x, what, fit = true) { // x: floats [C, H, W] in 0..1
  this.stop()
  this.brought.setAttribute("aria-label", `the picture that Q reads: ${what}`)
  put(this.brought.getContext("2d"), x.map(v => 255 * v + 0.5), this.runs[0])
  const reading = this.split(await this.backend.read(0, x))
  const values = reading.map((q, i) => (this.codes[i].k ? best(q) : Math.round(20 * clamp(q[0], -2, 2)) / 20))
  const answer = `${what}: Q reads ${this.codes.map((c, i) => `${c.symbol} = ${inWords(reading[i], c)}`).join(", ")}. The controls now show these codes.`
  const drawn = this.set({ values, view: "single", count: 1 }, answer, true), { state } = this
  this.count("read")
  await drawn
  if (fit && this.state === state) await this.fit(x, answer)
}

App.prototype.fit = async function (x, answer) { // separable CMA-ES (Ros and Hansen 2008) on z, the codes as they are
  const run = this.runs[0], n = run.noise_dim, target = x.map(v => 255 * v), { state } = this, { values } = state, from = Date.now()
  const distance = picture => picture.reduce((sum, v, p) => sum + Math.abs(v - target[p]), 0) / target.length / 255
  const inside = z => (run.normal ? z : z.map(v => clamp(v, -1, 1)))
  const gauss = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  const size = 24, half = size / 2, raw = Array.from({ length: half }, (_, i) => Math.log(half + 0.5) - Math.log(i + 1))
  const total = raw.reduce((a, b) => a + b), w = raw.map(v => v / total), mu = 1 / w.reduce((a, b) => a + b * b, 0)
  const cs = (mu + 2) / (n + mu + 5), ds = 1 + cs + 2 * Math.max(0, Math.sqrt((mu - 1) / (n + 1)) - 1), cc = 4 / (n + 4)
  const wider = (n + 2) / 3, c1 = Math.min(0.5, (wider * 2) / ((n + 1.3) ** 2 + mu)), cm = Math.min(1 - c1, (wider * 2 * (mu - 2 + 1 / mu)) / ((n + 2) ** 2 + mu))
  const chi = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
  let mean = Array.from((await this.zs(0, 1))[0]), sigma = 0.4, C = Array(n).fill(1), ps = Array(n).fill(0), pc = Array(n).fill(0)
  const score = async zs => (await this.backend.generate(0, zs.map(z => this.encode(0, z, values)))).pictures.map(distance)
  const [before] = await score([mean])
  if (this.state !== state) return // something else was set meanwhile
  let found = { z: mean, d: before }, stopped = false
  const bar = h("progress", { max: FIT_SECONDS, value: 0, "aria-label": "fitting the noise" })
  this.say(`${answer} Fitting the noise: `, bar, press("stop", "keep the noise that was found so far", () => { stopped = true }))
  const left = () => !stopped && this.state === state && Date.now() - from < 1000 * FIT_SECONDS
  while (left()) {
    const steps = Array.from({ length: size }, () => Array.from({ length: n }, (_, i) => Math.sqrt(C[i]) * gauss()))
    const zs = steps.map(step => inside(mean.map((m, i) => m + sigma * step[i]))), ds_ = await score(zs)
    const order = [...ds_.keys()].sort((a, b) => ds_[a] - ds_[b]).slice(0, half)
    if (ds_[order[0]] < found.d) found = { z: zs[order[0]], d: ds_[order[0]] }
    const step = mean.map((m, i) => order.reduce((sum, k, r) => sum + w[r] * (zs[k][i] - m), 0) / sigma)
    mean = mean.map((m, i) => m + sigma * step[i])
    ps = ps.map((p, i) => (1 - cs) * p + (Math.sqrt(cs * (2 - cs) * mu) * step[i]) / Math.sqrt(C[i]))
    sigma *= Math.exp((cs / ds) * (Math.hypot(...ps) / chi - 1))
    pc = pc.map((p, i) => (1 - cc) * p + Math.sqrt(cc * (2 - cc) * mu) * step[i])
    C = C.map((v, i) => (1 - c1 - cm) * v + c1 * pc[i] ** 2 + cm * order.reduce((sum, k, r) => sum + w[r] * ((zs[k][i] - (mean[i] - sigma * step[i])) / sigma) ** 2, 0))
    bar.value = (Date.now() - from) / 1000
    await new Promise(next => setTimeout(next)) // the page may answer a press in between
  }
  if (this.state !== state) return
  const percent = d => `${Math.round(100 * d)}%`
  const near = `With the noise fitted, G's pixels differ from the picture by ${percent(found.d)} of the range on average (${percent(before)} before).`
  await this.set({ z: found.z.map(v => +v.toFixed(3)), scale: 1 }, `${answer} ${near}`, true) // as a setting keeps it
}

function shrink(source, wide, high, run, dark) { // the central square of what a canvas can draw -> [floats, was it inverted]
  const side = Math.min(wide, high), { size, channels } = run, area = size * size, small = h("canvas", { width: size, height: size })
  const pen = small.getContext("2d")
  pen.imageSmoothingQuality = "high"
  pen.drawImage(source, (wide - side) / 2, (high - side) / 2, side, side, 0, 0, size, size)
  const { data } = pen.getImageData(0, 0, size, size), x = new Float32Array(channels * area)
  const grey = p => (data[4 * p] + data[4 * p + 1] + data[4 * p + 2]) / 3, alpha = p => data[4 * p + 3] / 255
  let ink = 0, opaque = 0
  for (let p = 0; p < area; p++) { ink += alpha(p) * grey(p); opaque += alpha(p) }
  const ground = ink > opaque * 127.5 ? 0 : 255 // light ink is seen on black, dark ink on white
  for (let p = 0; p < area; p++) for (let c = 0; c < channels; c++)
    x[c * area + p] = (alpha(p) * (channels === 3 ? data[4 * p + c] : grey(p)) + (1 - alpha(p)) * ground) / 255
  const edge = [...Array(size).keys()].flatMap(i => [x[i], x[area - 1 - i], x[i * size], x[i * size + size - 1]])
  const paper = channels === 1 && dark && edge.reduce((a, b) => a + b) / edge.length > 0.5
  return [paper ? x.map(v => 1 - v) : x, paper]
}

features.push(function bringing(app) {
  const run = app.runs[0]
  const file = h("input", { type: "file", accept: "image/*,.json" })
  file.onchange = async () => {
    const given = file.files[0]
    if (!given) return
    try {
      if (given.name.toLowerCase().endsWith(".json")) app.load(await given.text(), `${given.name}: set.`)
      else await bringFile(given)
    } catch (error) { app.fail({ message: `${given.name}: ${error.message}`, trace: error.trace }) }
    file.value = "" // so that the same file can be brought again
  }
  async function bringFile(given) {
    const header = new Image(), url = URL.createObjectURL(given)
    let bitmap
    try {
      await new Promise((known, failed) => { header.onload = known; header.onerror = failed; header.src = url }) // decodes no pixels
      if (header.width * header.height <= LARGEST * 1e6) bitmap = await createImageBitmap(given)
    } catch { throw Error("not a picture that decodes: bring a PNG, JPEG, BMP, GIF or WebP") } finally { URL.revokeObjectURL(url) }
    if (!bitmap) throw Error(`has ${header.width} x ${header.height} pixels, more than ${LARGEST} million: bring a smaller copy`)
    const [x, inverted] = shrink(bitmap, bitmap.width, bitmap.height, run, app.about.dark)
    const what = `${given.name}${inverted ? " (inverted: this run's pictures are light on dark)" : ""}`
    await app.bring(x, what)
  }
  const samples = h("div", { className: "categories samples" })
  const fill = app.guard(async () => {
    const zs = await app.noises(0, [...LETTERS].map((_, n) => 92 + n))
    // codes far apart: a step of the golden ratio for each letter and code
    const codes = [...LETTERS].map((_, n) => app.codes.map((c, i) => { const u = ((n + 1) * 0.618 + i * 0.414) % 1; return c.k ? Math.floor(c.k * u) : 2 * u - 1 }))
    const { pictures } = await app.backend.generate(0, zs.map((z, n) => app.encode(0, z, codes[n])))
    samples.replaceChildren(...pictures.map((x, n) => {
      const letter = LETTERS[n], read = app.guard(() => app.bring(floats, `Sample ${letter}`))
      const floats = Float32Array.from(x, v => v / 255)
      return h("button", { type: "button", className: "category", title: `let Q read sample ${letter}`, onclick: read }, alone(x, run), letter)
    }))
  })
  const part = fold(app, "bring a picture", false, row(h("label", { className: "file" }, "a picture or a saved setting ", file)), h("p", { className: "hint" }, "Or let Q read a sample that G generated:"), samples)
  part.ontoggle = () => { if (part.open && !samples.children.length) fill() }
})

features.push(function drawing(app) { // Q reads while you draw
  const run = app.runs[0], side = 10 * run.size, colours = run.channels === 3
  const canvas = h("canvas", { className: "draw", width: side, height: side, tabIndex: 0, role: "img", "aria-label": "draw here" }), pen = canvas.getContext("2d", { willReadFrequently: true })
  const ground = () => (colours ? "#888" : app.about.dark ? "#000" : "#fff")
  const ink = h("input", { type: "color", value: "#ffffff", title: "colour of the pen" })
  const kept = []
  let down = false, busy = false, again = false, touched = false
  const read = app.guard(async () => { // one at a time, and the last one always
    again = true
    if (busy) return
    busy = true
    try {
      while (again) {
        again = false
        const [x] = shrink(canvas, side, side, run, false)
        await app.bring(x, "Your drawing", false)
      }
    } finally { busy = false }
  })
  const clear = () => { pen.fillStyle = ground(); pen.fillRect(0, 0, side, side) }
  const at = event => {
    const box = canvas.getBoundingClientRect()
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height]
  }
  const line = (from, to) => {
    Object.assign(pen, { lineWidth: side / 12, lineCap: "round", lineJoin: "round", strokeStyle: colours ? ink.value : app.about.dark ? "#fff" : "#000" })
    pen.beginPath()
    pen.moveTo(...from)
    pen.lineTo(...to)
    pen.stroke()
  }
  let last
  const keep = () => { // for undo, the last 30
    kept.push(pen.getImageData(0, 0, side, side))
    kept.splice(0, kept.length - 30)
  }
  const begin = point => { keep(); last = point; touched = true; line(last, last); read() }
  const go = point => { line(last, point); last = point; read() }
  canvas.onpointerdown = event => { if (!event.isPrimary) return; canvas.setPointerCapture(event.pointerId); down = true; begin(at(event)); event.preventDefault() }
  canvas.onpointermove = event => {
    const parts = event.getCoalescedEvents?.() ?? [] // may be empty
    if (down && event.isPrimary) for (const part of parts.length ? parts : [event]) go(at(part))
  }
  canvas.onpointerup = canvas.onpointercancel = () => { down = false }
  let cursor = [side / 2, side / 2], writing = false
  canvas.onkeyup = event => { if (event.key === "Shift") writing = false }
  canvas.onkeydown = event => { // the pen by keyboard: arrows move, with Shift they draw
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    if (!step) return
    event.preventDefault()
    const to = cursor.map((v, i) => clamp(v + (step[i] * side) / 28, 0, side))
    if (event.shiftKey) { if (!writing) begin(cursor); go(to) }
    writing = event.shiftKey
    cursor = to
    mark.style.left = `${(100 * cursor[0]) / side}%`
    mark.style.top = `${(100 * cursor[1]) / side}%`
  }
  const mark = h("i")
  const undo = press("undo the stroke", "take the last stroke back", () => { if (kept.length) { pen.putImageData(kept.pop(), 0, 0); read() } })
  const wipe = press("clear", "wipe the drawing", () => { keep(); clear(); app.say("") })
  const fit = press("fit the noise", "find noise with which G's picture resembles the drawing", app.guard(async () => {
    if (touched) await app.bring(shrink(canvas, side, side, run, false)[0], "Your drawing")
  }))
  clear()
  const painted = h("canvas", { className: "painted", width: run.size, height: run.size, role: "img", "aria-label": "what G generates from the codes that Q reads" })
  app.on("drawn", () => put(painted.getContext("2d"), app.shown, run))
  const hint = "Q reads your drawing, and G generates a picture from what Q read. By keyboard, arrows move the pen and Shift draws."
  fold(app, "draw", !colours, h("p", { className: "hint" }, hint), row(h("div", { className: "sketch" }, canvas, mark), h("div", { className: "stack" }, h("figure", {}, painted, h("figcaption", {}, "what G generates")), ...(colours ? [h("label", {}, "pen ", ink)] : []), undo, wipe, fit)))
})

features.push(function keeping(app) { // a shelf of settings with small pictures; files and links
  const shelf = h("div", { className: "categories shelf" })
  const keep = press("keep on the shelf", "keep this setting and its picture below, while the page is open", () => {
    const text = JSON.stringify(app.setting()), n = shelf.children.length + 1
    const button = h("button", { type: "button", className: "category", title: `go back to setting ${n}`, onclick: app.guard(() => app.load(text)) }, alone(app.shown, app.runs[0]), `${n}`)
    shelf.append(button)
  })
  const picture = press("save the picture", "save what the view shows, as PNG", () => app.canvases[0].toBlob(blob => save(`${app.about.dataset}.png`, blob)))
  const setting = press("save the setting", "save codes, noise and view in a file; bring a picture takes it back", () => save(`${app.about.dataset}-setting.json`, new Blob([JSON.stringify(app.setting(), null, 1)], { type: "application/json" })))
  const more = app.backend.link ? [press("copy the link", "copy the address of this page with this setting", app.guard(async () => {
    const address = app.backend.link(app.setting())
    try { await navigator.clipboard.writeText(address); app.say("The link is copied.") } catch { app.say(`The link: ${address}`) }
  }))] : []
  app.on("follow", () => { for (const button of [keep, setting, ...more]) button.disabled = app.state.between !== null }) // no setting
  app.turning.append(row(keep, picture, setting, ...more), shelf)
})
