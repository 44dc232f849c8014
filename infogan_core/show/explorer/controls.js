// A control for each code, the noise, undo and redo: what every page has.

const row = (...children) => h("div", { className: "row" }, ...children)
const press = (text, title, onclick) => h("button", { type: "button", textContent: text, title, onclick })

function fold(app, title, open, ...children) { // a part of the page that is opened when it is wanted
  const part = h("details", { open }, h("summary", {}, title), ...children)
  app.turning.append(part)
  return part
}

features.push(function codeControls(app) {
  const { codes, id, runs } = app, strips = []
  codes.forEach((c, i) => {
    const inside = h("div", { className: c.k ? "categories" : "slider" }), legend = h("legend")
    const inputs = Array.from({ length: c.k || 1 }, (_, k) => h("input", c.k ? { type: "radio", name: `${id}-${i}`, value: k } : { type: "range", min: -2, max: 2, step: 0.05 }))
    const output = h("output")
    strips[i] = inputs.map((input, k) => {
      input.oninput = () => app.turn(i, +input.value)
      if (!c.k) return inside.append(h("span", { className: "trained" }, input), output)
      const canvas = h("canvas", { width: runs[0].size, height: runs[0].size })
      inside.append(h("label", { className: "category" }, input, canvas, `${k}`))
      return canvas
    })
    app.on("follow", () => {
      const v = app.state.values[i]
      legend.firstChild.data = app.title(i)
      inputs.forEach((input, k) => {
        input.title = c.k ? `${c.title}, ${c.labels[k]}` : `${c.title}, trained on -1 to 1`
        input.setAttribute("aria-label", input.title)
        c.k ? (input.checked = k === v) : (input.value = v)
      })
      if (!c.k) output.textContent = v.toFixed(2)
    })
    legend.append("", ...naming(app, i))
    app.turning.append(h("fieldset", { className: `code-${i}` }, legend, inside))
  })
  if (codes.some(c => !c.k)) app.turning.append(h("p", { className: "hint" }, "The line below a slider marks -1 to 1, the range in training."))
  app.on("settled", app.guard(async () => { // what each category would make, on its button
    const [z] = await app.zs(0, 1)
    for (const [i, c] of codes.entries()) if (c.k) {
      const { pictures } = await app.backend.generate(0, sweep(c).map(v => app.encode(0, z, app.state.values.with(i, v))))
      if (app.busy) return // a move comes first
      pictures.forEach((x, k) => put(strips[i][k].getContext("2d"), x, runs[0]))
    }
    app.count("strips")
  }))
})

function naming(app, i) { // a person's own names of a code and of its category in hand
  if (!app.backend.rename) return []
  const c = app.codes[i], kinds = c.k ? ["code", "category"] : ["code"]
  return kinds.map(kind => {
    const key = () => (kind === "code" ? c.symbol : `${c.symbol}=${app.state.values[i]}`)
    const button = press("", "", () => {
      const of = key(), before = app.about.given[of] ?? ""
      const input = h("input", { type: "text", value: before, size: 14, maxLength: 40, placeholder: "a name", "aria-label": `name of ${of}` })
      let ended = false
      const end = app.guard(async (keep, back = false) => {
        if (ended) return // replacing the input takes its focus, which ends it again
        ended = true
        const name = input.value.trim()
        input.replaceWith(button)
        if (back) button.focus()
        if (keep && name !== before) Object.assign(app.about, await app.backend.rename(of, name))
        app.codes.forEach((c, j) => Object.assign(c, app.about.codes[j]))
        app.emit("follow")
        app.redraw()
      })
      input.onkeydown = event => {
        if (event.key !== "Enter" && event.key !== "Escape") return
        event.preventDefault() // or Enter would press the button that comes back
        end(event.key === "Enter", true)
      }
      input.onblur = () => end(true)
      button.replaceWith(input)
      input.focus()
    })
    button.className = "name"
    app.on("follow", () => {
      button.title = `give ${key()} a name of your own`
      const label = kind === "code" ? "" : `category ${named(c, app.state.values[i])} `
      button.textContent = `${label}✎`
      button.setAttribute("aria-label", label + button.title)
    })
    return button
  })
}

features.push(function noiseControls(app) {
  const noise = h("input", { type: "number", min: 0, max: LAST_SEED, step: 1, placeholder: "fitted", title: "the seed of the noise z" })
  const seed = () => clamp(Math.trunc(+noise.value) || 0, 0, LAST_SEED)
  noise.oninput = () => app.set({ noise: seed() })
  noise.onchange = () => { noise.value = seed() }
  const scale = h("input", { type: "range", min: 0, max: 1.5, step: 0.05, title: "a factor of the noise: 1 as in training, 0 for none" })
  const scaled = h("output")
  scale.oninput = () => app.set({ scale: +scale.value })
  const count = h("select", { title: "how many noises the single view shows" }, ...[1, 4, 9].map(n => h("option", { value: n }, `${n}`)))
  count.onchange = () => app.set({ count: +count.value, view: "single" })
  app.on("follow", () => {
    if (document.activeElement !== noise) noise.value = app.state.z ? "" : app.state.noise
    scale.value = app.state.scale
    scaled.textContent = app.state.scale.toFixed(2)
    count.value = app.state.count
  })
  const undo = press("undo", "the setting before (Ctrl-Z)", app.guard(() => app.undo()))
  const redo = press("redo", "the setting after (Ctrl-Y)", app.guard(() => app.redo()))
  const grey = () => { // by aria-disabled: a button that is disabled loses the focus, and with it Ctrl-Z
    const { done, undone } = app, moved = JSON.stringify(app.setting()) !== done.at(-1)
    undo.setAttribute("aria-disabled", done.length < (moved ? 1 : 2))
    redo.setAttribute("aria-disabled", moved || !undone.length)
  }
  app.on("follow", grey)
  app.on("settled", grey)
  const random = c => (c.k ? Math.floor(Math.random() * c.k) : Math.round(20 * (2 * Math.random() - 1)) / 20)
  app.turning.append(
    row(
      h("label", {}, "noise seed ", noise),
      press("new noise", "the noise of the next seed", () => app.set({ noise: (app.state.noise + 1) % (LAST_SEED + 1) })),
      press("surprise me", "random codes and noise", () => app.set({ values: app.codes.map(random), noise: Math.floor(Math.random() * 1e6) })),
      press("reset", "back to the first codes and noise", () => { app.stop(); app.set({ values: app.start.values, noise: app.start.noise, scale: 1 }) }),
      undo,
      redo,
    ),
    row(h("label", { className: "slider" }, "noise scale ", scale, scaled), h("label", {}, "noises shown ", count)),
  )
})

features.push(function pad(app) { // two continuous codes at once
  const free = app.codes.flatMap((c, i) => (c.k ? [] : [i]))
  if (free.length < 2) return
  const axes = [free[0], free[1]]
  const area = h("div", { className: "pad", title: "the dashed square is -1 to 1, the range in training", tabIndex: 0, role: "slider", "aria-valuemin": -2, "aria-valuemax": 2 }, h("i"), h("b"))
  const move = (x, y) => {
    app.hand = axes[0]
    const to = v => Math.round(20 * clamp(v, -2, 2)) / 20
    app.set({ values: app.state.values.with(axes[0], to(x)).with(axes[1], to(y)) })
  }
  const at = event => {
    const box = area.getBoundingClientRect()
    move(-2 + (4 * (event.clientX - box.left)) / box.width, 2 - (4 * (event.clientY - box.top)) / box.height)
  }
  area.onpointerdown = event => { area.setPointerCapture(event.pointerId); at(event) }
  area.onpointermove = event => area.hasPointerCapture(event.pointerId) && at(event)
  area.onkeydown = event => {
    const step = { ArrowRight: [0.05, 0], ArrowLeft: [-0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] }[event.key]
    if (!step) return
    event.preventDefault()
    move(app.state.values[axes[0]] + step[0], app.state.values[axes[1]] + step[1])
  }
  const choose = axes.map((_, a) => {
    const select = h("select", { "aria-label": a ? "code of the pad's height" : "code of the pad's width" })
    select.onchange = () => {
      const i = free[+select.value]
      if (axes[1 - a] === i) axes[1 - a] = axes[a]
      axes[a] = i
      app.emit("follow")
    }
    return select
  })
  app.on("follow", () => {
    choose.forEach((select, a) => { choices(select, free.map(i => app.title(i))); select.value = free.indexOf(axes[a]) })
    const [x, y] = axes.map(i => app.state.values[i])
    Object.assign(area.lastChild.style, { left: `${25 * (x + 2)}%`, top: `${25 * (2 - y)}%` })
    const words = axes.map((i, a) => `${app.codes[i].symbol} ${[x, y][a].toFixed(2)}`).join(", ")
    for (const [key, value] of [["aria-valuenow", x], ["aria-valuetext", words], ["aria-label", "pad for two codes"]]) area.setAttribute(key, value)
  })
  fold(app, "pad for two codes", false, row(area, h("div", { className: "stack" }, h("label", {}, "across ", choose[0]), h("label", {}, "up ", choose[1]))))
})

features.push(function heat(app) { // which pixels the code in hand changes
  const run = app.runs[0], canvas = h("canvas", { width: run.size, height: run.size, role: "img" }), caption = h("figcaption")
  const figure = h("figure", { className: "heat", hidden: true }, canvas, caption)
  const box = h("input", { type: "checkbox", onchange: () => { figure.hidden = !box.checked; draw() } })
  const draw = app.guard(async () => {
    if (!box.checked) return
    const i = app.hand, [z] = await app.zs(0, 1), area = run.size ** 2
    const { pictures } = await app.backend.generate(0, sweep(app.codes[i]).map(v => app.encode(0, z, app.state.values.with(i, v))))
    const range = Array.from({ length: area }, (_, p) => {
      let sum = 0
      for (let c = 0; c < run.channels; c++) {
        const seen = pictures.map(x => x[c * area + p])
        sum += Math.max(...seen) - Math.min(...seen)
      }
      return sum / run.channels / 255
    })
    const pen = canvas.getContext("2d"), image = pen.createImageData(run.size, run.size)
    range.forEach((v, p) => image.data.set([255 * Math.min(1, 2 * v), 255 * clamp(2 * v - 0.7, 0, 1), 255 * clamp(0.25 - v, 0, 1), 255], 4 * p))
    pen.putImageData(image, 0, 0)
    caption.textContent = `Bright pixels change with ${app.title(i)}.`
    canvas.setAttribute("aria-label", `${caption.textContent} ${Math.round((100 * range.filter(v => v > 0.1).length) / area)}% of the pixels change by a tenth or more.`)
  })
  app.on("settled", draw)
  app.look.append(h("label", { className: "row" }, box, "heat map of the code that you moved last"), figure)
})
