function label(root) {
  for (const slider of root.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label").textContent
    slider.querySelector("[role=slider]")?.setAttribute("aria-label", name)
  }
  for (const button of root.querySelectorAll(".widget-toggle-button")) {
    button.setAttribute("aria-label", button.title || button.textContent)
    button.setAttribute("aria-pressed", button.classList.contains("mod-active"))
  }
  const [play, stop] = root.querySelectorAll(".widget-play button")
  play?.setAttribute("aria-label", "play or pause the sweep")
  stop?.setAttribute("aria-label", "stop the sweep")
  for (const text of root.querySelectorAll(".widget-upload")) text.lastChild.data = text.lastChild.data.replace(/ \(\d+\)$/, "")
  for (const image of root.querySelectorAll("img")) image.alt = image.title
}

function render({ el }) {
  el.style.display = "none"
  const root = el.closest(".infogan")
  if (!root) return setTimeout(() => render({ el }), 100) // not in the page yet
  label(root)
  const watch = { subtree: true, childList: true, attributeFilter: ["class", "title"] }
  new MutationObserver(() => label(root)).observe(root, watch)
}

export default { render }
