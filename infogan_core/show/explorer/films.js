// What plays: a code back and forth, or the way from a setting A to a setting B; and its film as a file.

const PACE = k => (k ? 500 : 100) // milliseconds that a category, or a continuous value, is shown
const STEPS = 20 // from A to B

App.prototype.path = async function (run, times) { // G's inputs on the way from A to B
  const soft = (values, t, other) => values.map((v, i) => {
    const { k } = this.codes[i]
    return k ? Array.from({ length: k }, (_, n) => (1 - t) * (n === v) + t * (n === other[i])) : (1 - t) * v + t * other[i]
  })
  const [[a], [b]] = await Promise.all([this.from, this.to].map(end => this.zs(run, 1, end))), norm = z => Math.hypot(...z)
  return times.map(t => {
    const z = a.map((v, i) => (1 - t) * v + t * b[i])
    // a normal z lies near a sphere; a straight line would cut through it
    const far = this.runs[run].normal ? ((1 - t) * norm(a) + t * norm(b)) / (norm(z) || 1) : 1
    return this.encode(run, z.map(v => v * far), soft(this.from.values, t, this.to.values))
  })
}

function save(name, blob) {
  const link = h("a", { download: name, href: URL.createObjectURL(blob) })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

features.push(function films(app) {
  const what = h("select", { title: "the code that play moves, and that the sheet shows" })
  const against = h("select", { title: "the code down the sheet of two codes" })
  const play = press("play", "move what is chosen back and forth", () => (app.playing ? app.stop() : start()))
  const slider = h("input", { type: "range", min: 0, max: 1, step: 1 / STEPS, "aria-label": "from A to B", disabled: true })
  const across = h("select", { title: "the code across the sheet" })
  let way = false
  const there = () => [...Array(STEPS + 1).keys()].map(n => n / STEPS), ping = path => [...path, ...path.slice(1, -1).reverse()]
  const sweepPath = () => {
    const c = app.codes[app.state.swept]
    return ping(c.k ? sweep(c) : Array.from({ length: 41 }, (_, n) => Math.round(-20 + n) / 10))
  }
  const pause = () => (way ? 100 : PACE(app.codes[app.state.swept].k))

  app.stop = () => { clearInterval(app.playing); app.playing = 0; play.textContent = "play"; play.setAttribute("aria-pressed", "false") }
  function start() {
    const path = way ? ping(there()) : sweepPath(), i = app.state.swept
    let at = nearest(path, way ? app.state.between ?? 0 : app.state.values[i])
    app.playing = setInterval(() => {
      if (!app.root.offsetParent) return app.stop() // a tab that nobody sees
      at = (at + 1) % path.length
      way ? app.set({ between: path[at] }) : app.turn(i, path[at])
    }, pause())
    play.textContent = "stop"
    play.setAttribute("aria-pressed", "true")
  }
  const toSweep = i => ({ swept: i, against: i === app.state.against ? app.state.swept : app.state.against })
  what.onchange = () => {
    const again = app.playing, i = +what.value
    app.stop()
    way = i === app.codes.length
    app.set(way ? { between: 0 } : toSweep(i))
    if (again) start()
  }
  across.onchange = () => app.set(toSweep(+across.value))
  against.onchange = () => {
    const i = +against.value, { swept, against: before } = app.state
    app.set({ against: i, swept: i === swept ? before : swept, view: "two codes" })
  }
  slider.oninput = () => {
    if (!way) app.stop()
    way = true
    app.set({ between: +slider.value }, "The picture lies between A and B. The controls still show the last setting.")
  }

  const ends = ["from", "to"].map((end, n) => {
    const letter = "AB"[n], canvas = h("canvas", { width: app.runs[0].size, height: app.runs[0].size, hidden: true })
    const button = press(`keep as ${letter}`, `this setting is where the way ${n ? "ends" : "starts"}`, () => {
      app[end] = { ...app.state, between: null }
      canvas.hidden = false
      put(canvas.getContext("2d"), app.shown, app.runs[0])
      slider.disabled = !(app.from && app.to)
      app.emit("follow")
      app.say(`${letter} is kept. ${slider.disabled ? `Change something and keep it as ${"BA"[n]}.` : "Move the slider from A to B."}`)
    })
    app.on("follow", () => { button.disabled = app.state.between !== null })
    return h("span", { className: "end" }, canvas, button)
  })
  app.on("follow", () => {
    const titles = app.codes.map((_, i) => app.title(i))
    choices(what, slider.disabled ? titles : [...titles, "from A to B"])
    for (const select of [across, against]) choices(select, titles)
    if (way && app.state.between === null) {
      way = false
      app.stop()
    }
    what.value = way ? app.codes.length : app.state.swept
    across.value = app.state.swept
    against.value = app.state.against
    slider.value = app.state.between ?? 0
  })

  const frames = async () => { // G's inputs, once there and back
    if (way) return app.path(0, ping(there()))
    const [z] = await app.zs(0, 1)
    return sweepPath().map(v => app.encode(0, z, app.state.values.with(app.state.swept, v)))
  }
  async function canvases(rows) {
    const { pictures } = await app.backend.generate(0, rows)
    return pictures.map(x => {
      const canvas = h("canvas")
      drawSheet(canvas, app.runs[0], [x], { columns: 1, wide: 280 }, app.colour)
      return canvas
    })
  }
  const name = () => `${app.about.dataset}-${way ? "A-to-B" : app.codes[app.state.swept].symbol}`
  const gif = app.guard(async () => {
    app.say("The GIF is being made ...")
    const rows = await frames(), bytes = await app.backend.gif(0, rows, pause(), () => canvases(rows))
    save(`${name()}.gif`, new Blob([bytes], { type: "image/gif" }))
    app.say(`${name()}.gif is saved (${Math.round(bytes.byteLength / 1024)} KiB).`)
  })
  const video = app.guard(async () => { // the browser records at the pace at which it plays
    const type = ["video/webm", "video/mp4"].find(type => globalThis.MediaRecorder?.isTypeSupported(type))
    if (!type) throw Error("this browser records no video: save a GIF")
    const shots = await canvases(await frames()), canvas = h("canvas", { width: shots[0].width, height: shots[0].height }), pen = canvas.getContext("2d")
    pen.drawImage(shots[0], 0, 0)
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type }), parts = []
    recorder.ondataavailable = event => parts.push(event.data)
    const ended = new Promise(end => { recorder.onstop = end })
    recorder.start()
    for (const [n, shot] of shots.entries()) {
      app.say(`The video is being recorded: picture ${n + 1} of ${shots.length}`)
      pen.drawImage(shot, 0, 0)
      await new Promise(next => setTimeout(next, pause()))
    }
    recorder.stop()
    await ended
    const file = `${name()}.${type.slice(6)}`, blob = new Blob(parts, { type })
    save(file, blob)
    app.say(`${file} is saved (${Math.round(blob.size / 1024)} KiB).`)
  })
  app.turning.append(row(h("label", {}, "sweep ", what), play, press("save as GIF", "save what plays, there and back", gif), press("save as video", "save what plays, as WebM or MP4", video)))
  const down = h("label", {}, "down ", against), axes = row(h("label", {}, "across ", across), down)
  app.on("follow", () => {
    axes.hidden = !["sheet", "two codes"].includes(app.state.view)
    down.hidden = app.state.view !== "two codes"
  })
  app.look.children[0].after(axes)
  const hint = h("p", { className: "hint" }, "Keep one setting as A and another as B. The slider goes from A to B.")
  fold(app, "from A to B", false, hint, row(...ends, slider))
})
