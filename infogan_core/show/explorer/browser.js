// The backend of a shared page: onnxruntime runs the networks in the browser.

async function browser({ about }, unpack) { // unpack(name) -> the bytes of a part of the page
  const load = async name => import(URL.createObjectURL(new Blob([await unpack(name)], { type: "text/javascript" })))
  const [run] = about.runs, first = structuredClone(about.codes), ort = await load("ort.wasm.bundle.min.mjs")
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmBinary = await unpack("ort-wasm-simd-threaded.wasm")
  const sessions = await Promise.all(["painter", "reader"].map(async part => ort.InferenceSession.create(await unpack(part))))
  const [painter, reader] = sessions, known = new Float32Array((await unpack("noise")).buffer)
  const { size, channels, noise_dim: n } = run
  let turn = Promise.resolve() // a session runs one thing at a time

  function noise(seed) { // of the first seeds that of the notebooks, else mulberry32, in pairs by Box and Muller
    if ((seed + 1) * n <= known.length) return known.subarray(seed * n, (seed + 1) * n)
    let a = seed
    const uniform = () => {
      a = (a + 0x6d2b79f5) | 0
      let t = Math.imul(a ^ (a >>> 15), 1 | a)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    }
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
    return Float32Array.from({ length: n }, run.normal ? normal : () => 2 * uniform() - 1)
  }
  function compute(session, data, shape) {
    const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", data, shape) }
    const done = turn.then(async () => (await session.run(feeds))[session.outputNames[0]].data)
    turn = done.catch(() => {})
    return done
  }
  async function paint(rows) {
    const data = new Float32Array(rows.length * rows[0].length)
    rows.forEach((row, i) => data.set(row, i * row.length))
    return compute(painter, data, [rows.length, rows[0].length])
  }
  const read = x => compute(reader, x, [1, channels, size, size])
  return {
    async noises(_, seeds) { return seeds.map(noise) },
    async generate(_, rows) {
      const x = await paint(rows), area = channels * size * size, bytes = Uint8ClampedArray.from(x, v => 255 * v)
      return { pictures: rows.map((_, i) => bytes.subarray(i * area, (i + 1) * area)), reading: () => read(x.slice(0, area)) }
    },
    async read(_, x) { return read(x) },
    async gif(_, rows, pause, frames) {
      const { GIFEncoder, quantize, applyPalette } = await load("gifenc.esm.js"), gif = GIFEncoder()
      for (const canvas of await frames()) {
        const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height), palette = quantize(data, 256)
        gif.writeFrame(applyPalette(data, palette), width, height, { palette, delay: pause })
      }
      gif.finish()
      return gif.bytes()
    },
    async rename(key, name) { // kept while the page is open
      const given = { ...about.given, [key]: name }
      const codes = first.map(c => {
        const title = given[c.symbol] ? `${c.symbol}: “${given[c.symbol]}”` : c.title
        const own = k => given[`${c.symbol}=${k}`]
        return { ...c, title, labels: c.labels.map((l, k) => (own(k) ? `category ${k}: “${own(k)}”` : l)), names: c.names.map((l, k) => (own(k) ? `“${own(k)}”` : l)) }
      })
      return { codes, given }
    },
    remember(setting) { history.replaceState(null, "", `#${query(setting)}`) },
    link: setting => `${location.href.split("#")[0]}#${query(setting)}`,
  }
}

async function start(about, backend) {
  const app = mount(document.getElementById("explorer"), about, backend)
  const follow = app.guard(async () => {
    const setting = fromQuery(location.hash.slice(1))
    if (setting && JSON.stringify(setting) !== JSON.stringify(app.setting())) await app.load(JSON.stringify(setting))
  })
  document.getElementById("said").remove()
  addEventListener("hashchange", follow)
  await follow()
  await app.ready
}
