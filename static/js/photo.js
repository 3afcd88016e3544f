// One photo: its boxes and the list of its faces point at each other. Nothing is lost without it.
(() => {
  const parts = (id) => document.querySelectorAll(`[data-face="${id}"]`);
  const light = (id, on) => { for (const part of parts(id)) part.classList.toggle("lit", on); };
  const faceOf = (event) => event.target.closest?.("[data-face]")?.dataset.face;
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => { const id = faceOf(event); if (id) light(id, on); });
  }
  document.addEventListener("click", (event) => {
    const id = event.target.closest?.("rect[data-face]")?.dataset.face;
    if (id) document.querySelector(`li[data-face="${id}"]`)?.querySelector("a")?.focus();
  });
})();
