// The backend of a notebook: the kernel runs the networks, and messages carry their inputs and outputs.

function kernel(model) {
  const waiting = new Map(), mine = Math.random().toString(36).slice(2)
  let last = 0
  const hear = (message, buffers) => {
    const { done, fail } = waiting.get(message.id) ?? {}
    waiting.delete(message.id)
    if (message.error) fail?.(Object.assign(Error(message.error), { trace: message.trace }))
    else done?.({ message, buffers: buffers.map(b => b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength)) })
  }
  model.on("msg:custom", hear)
  const ask = (what, content = {}, floats = []) => new Promise((done, fail) => {
    const id = `${mine}${++last}`, flat = new Float32Array(floats.reduce((n, part) => n + part.length, 0))
    floats.reduce((at, part) => { flat.set(part, at); return at + part.length }, 0)
    waiting.set(id, { done, fail })
    model.send({ id, what, ...content }, undefined, [flat.buffer])
  })
  const cut = (all, n) => Array.from({ length: n }, (_, i) => all.subarray((i * all.length) / n, ((i + 1) * all.length) / n))
  const backend = {
    async noises(run, seeds) { return cut(new Float32Array((await ask("noises", { run, seeds })).buffers[0]), seeds.length) },
    async generate(run, rows) {
      const { buffers } = await ask("generate", { run }, rows)
      return { pictures: cut(new Uint8Array(buffers[0]), rows.length), reading: () => new Float32Array(buffers[1]) }
    },
    async read(run, x) { return new Float32Array((await ask("read", { run }, [x])).buffers[0]) },
    async gif(run, rows, pause) { return (await ask("gif", { run, pause }, rows)).buffers[0] },
    async rename(key, name) { return (await ask("rename", { key, name })).message.about },
    remember(setting) { model.set("setting", setting); model.save_changes() },
    open(run) { return ask("open", { run }) },
    end() { model.off("msg:custom", hear) },
  }
  if (document.body.dataset.voila) { // the gallery has an address of its own; a notebook's is JupyterLab's
    backend.link = setting => `${location.origin}${location.pathname}?run=${model.get("about").name}&${query(setting)}`
  }
  return backend
}

function render({ model, el }) {
  const backend = kernel(model), about = structuredClone(model.get("about"))
  if (el.classList.contains("jupyter-widgets-disconnected")) return el.classList.add("infogan") // no kernel answers
  const app = mount(el, about, backend)
  const follow = () => {
    const setting = model.get("setting")
    if (JSON.stringify(setting) !== JSON.stringify(app.setting())) app.guard(() => app.load(JSON.stringify(setting)))()
  }
  const asked = backend.link && new URLSearchParams(location.search).get("run")
  if (Object.keys(model.get("setting")).length) follow()
  else if (asked === about.name) app.guard(() => { const setting = fromQuery(location.search); if (setting) app.load(JSON.stringify(setting)) })()
  else if (asked) backend.open(asked)
  model.on("change:setting", follow)
  return () => { app.stop(); backend.end(); model.off("change:setting", follow) }
}
