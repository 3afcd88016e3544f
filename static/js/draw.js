// Draws the box of a new face over its photo: with mouse, finger or arrow keys. The form's four numbers are the box;
// without this script they are typed.
(() => {
  const stage = document.querySelector("[data-draw]");
  if (!stage) return;
  const photo = { width: Number(stage.dataset.width), height: Number(stage.dataset.height) };
  const rect = stage.querySelector("[data-draw-rect]");
  const said = document.getElementById("draw-said");
  const fields = Object.fromEntries([...document.querySelectorAll("[data-draw-field]")].map((field) => [field.dataset.drawField, field]));
  const SMALLEST = 20, STEP = 0.01;
  let from = null;

  document.querySelector(".draw-numbers").open = false;
  const number = (name) => Number(fields[name].value) || 0;
  const between = (low, value, high) => Math.min(Math.max(value, low), high);
  const read = () => ({ left: number("left"), top: number("top"), width: number("width"), height: number("height") });

  function draw() {
    const box = read();
    for (const [name, value] of [["x", box.left], ["y", box.top], ["width", box.width], ["height", box.height]]) rect.setAttribute(name, Math.max(0, value));
  }

  function write(box, { tell = true } = {}) {
    const width = between(1, box.width, photo.width), height = between(1, box.height, photo.height);
    const whole = { left: between(0, box.left, photo.width - width), top: between(0, box.top, photo.height - height), width, height };
    for (const [name, field] of Object.entries(fields)) field.value = Math.round(whole[name]);
    draw();
    if (tell) said.textContent = `${fields.width.value} by ${fields.height.value} pixels, ${fields.left.value} from the left, ${fields.top.value} from the top`;
  }

  function pointOf(event) {
    const shown = stage.getBoundingClientRect();
    return {
      x: between(0, ((event.clientX - shown.left) / shown.width) * photo.width, photo.width),
      y: between(0, ((event.clientY - shown.top) / shown.height) * photo.height, photo.height),
    };
  }

  const spanned = (a, b) => ({ left: Math.min(a.x, b.x), top: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) });

  stage.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    from = pointOf(event);
  });
  stage.addEventListener("pointermove", (event) => { if (from) write(spanned(from, pointOf(event)), { tell: false }); });
  stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const box = spanned(from, pointOf(event));
    // A click without a drag puts the box that is there around that place.
    const now = read(), { x, y } = from;
    write(Math.max(box.width, box.height) < SMALLEST / 2 ? { ...now, left: x - now.width / 2, top: y - now.height / 2 } : box);
    from = null;
  });
  stage.addEventListener("pointercancel", () => { from = null; });

  stage.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if ((!dx && !dy) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const step = Math.max(1, Math.round(Math.min(photo.width, photo.height) * STEP)), box = read();
    if (event.shiftKey) write({ ...box, width: Math.max(SMALLEST, box.width + dx * step), height: Math.max(SMALLEST, box.height + dy * step) });
    else write({ ...box, left: box.left + dx * step, top: box.top + dy * step });
  });

  for (const field of Object.values(fields)) field.addEventListener("input", draw);
  stage.focus({ preventScroll: true });
})();
