// The sliders of the front page: each frame loads when it comes into view, and is as high as what is in it.
const seen = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) if (isIntersecting && !target.src) target.src = target.dataset.src
})
const frames = [...document.querySelectorAll("iframe")]
for (const frame of frames) seen.observe(frame)
addEventListener("message", ({ source, data }) => {
  const frame = frames.find(frame => frame.contentWindow === source)
  if (frame && data.height) frame.style.height = `${data.height}px`
})

// What Sphinx leaves out: a level for the sidebar's headings, and a focus for code that scrolls.
for (const heading of document.querySelectorAll("[role=heading]:not([aria-level])")) heading.setAttribute("aria-level", 2)
for (const code of document.querySelectorAll("pre")) if (code.scrollWidth > code.clientWidth) code.tabIndex = 0
