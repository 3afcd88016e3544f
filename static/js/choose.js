// Many faces on one card: how many are chosen, Shift for a range, all of them, and Escape for none. Without it each box works.
(() => {
  const boxesOf = (desk) => [...desk.querySelectorAll("[data-choose] input[name=face]:not(:disabled)")];
  let last = null;

  const tell = () => {
    const desk = document.getElementById("desk");
    const count = desk ? boxesOf(desk).filter((box) => box.checked).length : 0;
    for (const told of desk?.querySelectorAll("[data-chosen]") ?? []) told.textContent = String(count);
  };
  const set = (boxes, checked) => { for (const box of boxes) box.checked = checked; tell(); };

  document.addEventListener("click", (event) => {
    const desk = event.target.closest?.("#desk");
    if (!desk) return;
    if (event.target.closest("[data-choose-all]")) {
      const boxes = boxesOf(desk);
      set(boxes, !boxes.every((box) => box.checked));
    } else if (event.target.matches("[data-choose] input[name=face]")) {
      const boxes = boxesOf(desk);
      if (event.shiftKey && last && boxes.includes(last)) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(event.target)].sort((a, b) => a - b);
        for (const box of boxes.slice(from, to + 1)) box.checked = event.target.checked;
      }
      last = event.target;
      tell();
    }
  });
  document.addEventListener("keydown", (event) => {
    const desk = document.getElementById("desk");
    if (!desk || event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog")) return;
    const boxes = boxesOf(desk);
    if (!boxes.length) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && !event.shiftKey) { event.preventDefault(); set(boxes, true); }
    else if (event.key === "Escape" && boxes.some((box) => box.checked)) set(boxes, false);
  });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "desk") tell(); });
  tell();
})();
