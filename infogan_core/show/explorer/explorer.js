// The Explorer: one state, its controls, and what G makes of it. `mount(root, about, backend)` is the same in a
// notebook, in the gallery and in a shared page; the backend runs the networks:
//   noises(run, seeds) -> [Float32Array]      z of each seed
//   generate(run, rows) -> {pictures, reading} rows: G's inputs; bytes [C, H, W] each; reading(): Q(c|x) of the first
//   read(run, x) -> Float32Array               Q(c|x) of a picture, floats in 0..1
//   gif(run, rows, pause, frames) -> bytes     frames() draws the canvases, for a backend without another way
//   rename(key, name), remember(setting), link(setting)   each only where there is a place for it

const ROWS = 10, SWEPT = 11, LAST_SEED = 2 ** 31 - 1, QUIET = 300, VIEWS = ["single", "sheet", "two codes", "all codes"]
const VIEW_HINTS = ["one picture, or one for each of several noises", "one code across, a noise for each row", "one code across, another down", "a row for each code"]
const features = [] // functions of the app, each of which adds its controls

const nearest = (values, v) => values.reduce((top, x, i) => (Math.abs(x - v) < Math.abs(values[top] - v) ? i : top), 0)
const sweep = c => Array.from({ length: c.k || SWEPT }, (_, i) => (c.k ? i : -2 + (4 * i) / (SWEPT - 1)))
const heads = c => sweep(c).map(v => (c.k ? `${v}` : v.toFixed(1)))
const clamp = (v, low, high) => Math.min(high, Math.max(low, v))

class App {
  constructor(root, about, backend) {
    Object.assign(this, { root, about, backend, runs: about.runs, codes: about.codes })
    this.state = this.start = { values: about.start, noise: about.seed, scale: 1, count: 1, view: "single", swept: 0, against: 1 % about.codes.length, z: null, between: null }
    this.hand = 0 // the code that was touched last
    this.listeners = { drawn: [], settled: [], follow: [] }
    this.probe = h("span", { hidden: true })
    this.status = h("p", { className: "said", role: "status", "aria-live": "polite" })
    this.noiseCache = this.runs.map(() => new Map())
    this.undone = []
    this.done = []
  }

  on(event, react) { this.listeners[event].push(react) }
  emit(event) { for (const react of this.listeners[event]) react() }

  colour = name => {
    this.probe.style.color = `var(${name})`
    return getComputedStyle(this.probe).color
  }

  say(text, ...more) { this.status.replaceChildren(text, ...more) }

  fail(error) { // ours in one line; a bug with its traceback folded
    const line = error.message || `${error}`
    this.say(h("span", { role: "alert", className: "error" }, error.trace ? h("details", {}, h("summary", {}, line), h("pre", {}, error.trace)) : line))
  }

  count(what) { this.root.dataset[what] = +(this.root.dataset[what] || 0) + 1 } // for tests and timings

  guard(action) { return async (...given) => { try { await action(...given) } catch (error) { this.fail(error) } } }

  set(changes, answer = "", brought = false) { // the one way to change the state; what was said of the last one goes
    this.say(answer)
    this.brought.hidden = !brought
    this.state = { ...this.state, between: null, ...("noise" in changes && { z: null }), ...changes }
    this.emit("follow")
    return this.redraw()
  }

  turn(i, v) {
    this.hand = i
    return this.set({ values: this.state.values.with(i, v) })
  }

  // ---- from the state to G's inputs

  async noises(run, seeds) {
    if (this.noiseCache[run].size > 500) this.noiseCache[run] = new Map()
    const cache = this.noiseCache[run], missing = seeds.filter(seed => !cache.has(seed))
    if (missing.length) (await this.backend.noises(run, missing)).forEach((z, i) => cache.set(missing[i], z))
    return seeds.map(seed => cache.get(seed)) // of this map, whatever another call has put in its place
  }

  seeds(n, state = this.state) { return Array.from({ length: n }, (_, i) => (state.noise + i) % (LAST_SEED + 1)) }

  async zs(run, n, state = this.state) { // the setting's noise and those of the next seeds, scaled
    const found = await this.noises(run, this.seeds(n, state))
    return found.map((z, i) => Float32Array.from(i === 0 && run === 0 && state.z ? state.z : z, v => v * state.scale))
  }

  encode(run, z, values) { // a category may be a list of weights, half of one and half of another
    const row = new Float32Array(this.runs[run].noise_dim + this.codes.reduce((n, c) => n + (c.k || 1), 0))
    row.set(z)
    let at = this.runs[run].noise_dim
    this.codes.forEach((c, i) => {
      const v = values[i]
      if (Array.isArray(v)) row.set(v, at)
      else row[c.k ? at + v : at] = c.k ? 1 : v
      at += c.k || 1
    })
    return row
  }

  async plan(run) { // the view: {here: the setting itself, where it is not the first of the rows, rows, layout}
    const { view, values, swept, against, count, between } = this.state, { codes } = this
    if (between !== null && this.from && this.to) {
      return { rows: await this.path(run, [between]), columns: 1, wide: 280 }
    }
    const z = await this.zs(run, view === "sheet" ? ROWS : view === "single" ? count : 1)
    const here = this.encode(run, z[0], values), turned = (i, v) => values.with(i, v)
    if (view === "single") return { rows: z.map(z => this.encode(run, z, values)), columns: Math.sqrt(count), wide: 280 }
    const c = codes[swept], mark = (c, i) => nearest(sweep(c), values[i])
    if (view === "sheet") {
      const rows = z.flatMap(z => sweep(c).map(v => this.encode(run, z, turned(swept, v))))
      const sides = this.seeds(ROWS).map((seed, i) => (this.state.z && !i && !run ? "fitted" : `noise ${seed}`))
      return { here, rows, columns: sweep(c).length, marks: z.map(() => mark(c, swept)), heads: [heads(c)], sides, corner: c.symbol, wide: 560 }
    }
    if (view === "two codes") {
      const d = codes[against], rows = sweep(d).flatMap(w => sweep(c).map(v => this.encode(run, z[0], turned(swept, v).with(against, w))))
      const marks = []
      marks[mark(d, against)] = mark(c, swept)
      return { here, rows, columns: sweep(c).length, marks, heads: [heads(c)], sides: heads(d), corner: `${d.symbol} \\ ${c.symbol}`, wide: 560 }
    }
    const columns = Math.max(...codes.map(c => sweep(c).length)), rows = [], kinds = [codes.filter(c => c.k), codes.filter(c => !c.k)]
    codes.forEach((c, i) => { for (let n = 0; n < columns; n++) rows.push(n < sweep(c).length ? this.encode(run, z[0], turned(i, sweep(c)[n])) : null) })
    const lines = kinds.filter(kind => kind.length).map(kind => heads(kind.reduce((a, b) => (sweep(b).length > sweep(a).length ? b : a))))
    return { here, rows, columns, marks: codes.map(mark), heads: lines, sides: codes.map(c => c.symbol), wide: 560 }
  }

  // ---- from the state to the page

  async draw() {
    await Promise.all(this.runs.map(async (about, run) => {
      const { here, rows, ...layout } = await this.plan(run)
      const { pictures, reading } = await this.backend.generate(run, [here, ...rows].filter(row => row))
      if (run === 0) this.shown = pictures[0]
      if (here) pictures.shift()
      drawSheet(this.canvases[run], about, rows.map(row => row && pictures.shift()), layout, this.colour)
      this.count("pixels")
      this.canvases[run].setAttribute("aria-label", `${this.about.dataset}, generated ${this.inWords()}`)
      this.readings[run].replaceChildren(...chart(this.codes, this.split(await reading()), this.state.between === null ? this.state.values : []))
    }))
    this.emit("drawn")
  }

  async redraw() { // one at a time; what changes meanwhile is drawn next, and only its last state
    this.again = true
    clearTimeout(this.timer)
    if (this.busy) return
    this.busy = true
    try {
      while (this.again) {
        this.again = false
        await this.draw()
      }
      this.count("drawn")
    } catch (error) { this.fail(error) } finally { this.busy = false }
    if (this.again) return this.redraw() // what came while a picture failed
    this.timer = setTimeout(() => this.settle(), QUIET)
  }

  settle() {
    const now = JSON.stringify(this.setting())
    if (now !== this.done.at(-1) && !this.playing && this.state.between === null) {
      if (this.done.length) this.undone = []
      this.done.push(now)
      this.backend.remember?.(this.setting())
    }
    this.emit("settled")
  }

  undo() {
    this.stop()
    this.settle()
    if (this.done.length < 2) return
    this.undone.push(this.done.pop())
    this.load(this.done.at(-1))
  }

  redo() {
    this.stop()
    this.settle() // after a new move there is nothing to do again
    if (!this.undone.length) return
    this.done.push(this.undone.pop())
    this.load(this.done.at(-1))
  }

  split(all) { // Q's numbers, code after code
    let at = 0
    return this.codes.map(c => all.subarray(at, (at += c.k || 2)))
  }

  title(i) { return this.codes[i].title }

  inWords() {
    const { view, swept, against, noise, between } = this.state, { codes } = this
    if (between !== null) return `picture, ${Math.round(100 * between)}% of the way from A to B`
    const kinds = { sheet: `rows of ${codes[swept].symbol}, a noise each`, "two codes": `${codes[swept].symbol} across, ${codes[against].symbol} down`, "all codes": "a row for each code" }
    return `${kinds[view] ?? "picture"}: ${codes.map((c, i) => `${c.symbol}=${this.state.values[i]}`).join(", ")}, noise=${noise}`
  }

  // ---- a setting as plain data, which a file, a link and the notebook carry

  setting() {
    const { values, noise, scale, count, view, swept, against, z } = this.state, symbol = i => this.codes[i].symbol
    const codes = Object.fromEntries(values.map((v, i) => [symbol(i), v]))
    const setting = { codes, noise, view, sweep: symbol(swept) }
    if (against !== this.start.against) setting.against = symbol(against)
    if (scale !== 1) setting.scale = scale
    if (count !== 1) setting.count = count
    if (z) setting.z = Array.from(z, v => +v.toFixed(3))
    return setting
  }

  load(text, answer = "") { // raises an Error, naming what does not fit; nothing moves then
    let given
    try { given = JSON.parse(text) } catch { throw Error("not a setting of these sliders") }
    const { codes, noise, view, scale = 1, count = 1, z = null } = given ?? {}, values = this.codes.map(c => codes?.[c.symbol])
    const at = symbol => this.codes.findIndex(c => c.symbol === symbol)
    const swept = at(given?.sweep), against = "against" in (given ?? {}) ? at(given.against) : this.start.against
    if (Object.keys(codes ?? {}).length !== this.codes.length || swept < 0 || against < 0) throw Error(`a setting for other codes than ${this.codes.map(c => c.symbol).join(", ")}`)
    this.codes.forEach(({ symbol, k }, i) => {
      const v = values[i], fits = k ? Number.isInteger(v) && v >= 0 && v < k : typeof v === "number" && Math.abs(v) <= 2
      if (!fits) throw Error(`${symbol} must be ${k ? `a whole number from 0 to ${k - 1}` : "a number from -2 to 2"}, found ${JSON.stringify(v)}`)
    })
    if (!VIEWS.includes(view)) throw Error(`view must be one of ${VIEWS.join(", ")}`)
    if (!Number.isInteger(noise) || noise < 0 || noise > LAST_SEED) throw Error(`noise must be 0 to ${LAST_SEED}`)
    if (typeof scale !== "number" || !(scale >= 0 && scale <= 1.5)) throw Error("scale must be 0 to 1.5")
    if (![1, 4, 9].includes(count)) throw Error("count must be 1, 4 or 9")
    if (z !== null && !(Array.isArray(z) && z.length === this.runs[0].noise_dim && z.every(Number.isFinite))) throw Error(`z must be ${this.runs[0].noise_dim} numbers`)
    return this.set({ values, noise, scale, count, view, swept, against, z }, answer)
  }
}

// A setting as the fields of an address, and back: null where the address holds none.
const query = ({ codes, ...rest }) => new URLSearchParams({ ...codes, ...rest }).toString()

function fromQuery(text) {
  const fields = Object.fromEntries(new URLSearchParams(text)), number = v => (v.trim() === "" ? NaN : +v)
  if (!("c1" in fields)) return null
  const codes = Object.fromEntries(Object.entries(fields).filter(([key]) => /^c\d+$/.test(key)).map(([key, v]) => [key, number(v)]))
  const setting = { codes, noise: number(fields.noise ?? "0"), view: fields.view ?? "single", sweep: fields.sweep ?? "c1" }
  if (fields.against) setting.against = fields.against
  for (const key of ["scale", "count"]) if (key in fields) setting[key] = number(fields[key])
  if (fields.z) setting.z = fields.z.split(",").map(number)
  return setting
}

// ---- the page

function mount(root, about, backend) {
  const app = new App(root, about, backend), { codes } = app, id = `i${Math.random().toString(36).slice(2)}`
  app.id = id
  app.canvases = about.runs.map(() => h("canvas", { className: "picture", role: "img" }))
  app.readings = about.runs.map(() => h("div", { className: "reading", role: "group", "aria-label": "what Q reads in the picture, beside what was set" }))
  const views = h("div", { className: "views", role: "radiogroup", "aria-label": "view" })
  for (const view of VIEWS.filter(view => view !== "two codes" || codes.length > 1)) {
    const input = h("input", { type: "radio", name: `${id}-view`, value: view, onchange: () => app.set({ view }) })
    app.on("follow", () => { input.checked = app.state.view === view })
    views.append(h("label", { title: VIEW_HINTS[VIEWS.indexOf(view)] }, input, view))
  }
  const columns = about.runs.map((run, r) => h("figure", {}, ...(run.caption ? [h("figcaption", {}, run.caption)] : []), app.canvases[r], app.readings[r]))
  app.brought = h("canvas", { className: "thumbnail", width: about.runs[0].size, height: about.runs[0].size, hidden: true, role: "img" })
  app.look = h("div", { className: "look" }, views, h("div", { className: "runs" }, ...columns), h("div", { className: "answer" }, app.brought, app.status))
  app.turning = h("div", { className: "turn" })
  root.classList.add("infogan")
  root.app = app // for a browser's console, and for the tests
  root.replaceChildren(app.probe, app.look, app.turning)
  for (const add of features) add(app)
  root.addEventListener("keydown", event => {
    if (!(event.ctrlKey || event.metaKey) || /text|number/.test(event.target.type)) return
    const key = event.key.toLowerCase(), back = key === "z" && !event.shiftKey
    if (key !== "z" && key !== "y") return
    event.preventDefault()
    app.guard(() => (back ? app.undo() : app.redo()))()
  })
  app.emit("follow")
  app.ready = app.redraw()
  return app
}
