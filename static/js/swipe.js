// On a phone the picture of a card is pushed aside to decide: right takes the first person, left says that it is not them,
// up skips. It presses the button that the key presses, so a swipe does nothing that no button does.
(() => {
  const FAR = 90;
  const PICTURES = "#desk .hero, #desk .person-refs";
  const KEYS = { right: ["Enter", "accept"], left: ["x", "reject"], up: ["s", "skip"] };
  let swipe = null;

  const buttonOf = (side) =>
    [...document.querySelectorAll("#desk [data-hotkey], #desk [data-swipe]")].find(
      (element) => (element.dataset.swipe === side || element.dataset.hotkey?.split(" ").includes(KEYS[side][0])) && !("notice" in element.dataset) && !element.disabled && element.getClientRects().length > 0,
    );
  const wordsOf = (side, button) => {
    if (!button) return side === "right" ? "No clear suggestion" : "";
    if (side === "right" && button.classList.contains("who")) return button.querySelector("b").textContent;
    const key = button.querySelector("kbd")?.innerText ?? "";
    const words = button.innerText.replace(/\s+/g, " ").trim();
    return key && words.endsWith(key) ? words.slice(0, -key.length).trim() : words;
  };

  const sideOf = (x, y) => {
    if (Math.abs(x) > 1.4 * Math.abs(y)) return x > 0 ? "right" : "left";
    return -y > 1.4 * Math.abs(x) ? "up" : "";
  };

  const draw = (x, y) => {
    const side = sideOf(x, y);
    const button = side && buttonOf(side);
    const moved = side === "up" ? [0, y] : [side ? x : 0, 0];
    swipe.picture.style.translate = `${moved[0]}px ${moved[1]}px`;
    swipe.picture.style.rotate = side === "up" ? "" : `${moved[0] / 40}deg`;
    swipe.words.textContent = side ? wordsOf(side, button) : "";
    swipe.words.className = `swipe-words ${side && button ? KEYS[side][1] : "none"}${Math.hypot(...moved) >= FAR && button ? " far" : ""}`;
  };

  const end = (decided) => {
    if (!swipe) return;
    swipe.words.remove();
    swipe.picture.classList.remove("swiped");
    if (!decided) { swipe.picture.style.translate = ""; swipe.picture.style.rotate = ""; }
    swipe = null;
  };

  document.addEventListener("pointerdown", (event) => {
    const picture = event.target.closest?.(PICTURES);
    // A second finger zooms.
    if (swipe) return end(false);
    if (!picture || event.pointerType !== "touch" || !event.isPrimary || document.querySelector("#desk .htmx-request, #desk.htmx-request")) return;
    const words = Object.assign(document.createElement("p"), { className: "swipe-words none" });
    words.setAttribute("aria-hidden", "true");
    picture.after(words);
    picture.classList.add("swiped");
    swipe = { id: event.pointerId, x: event.clientX, y: event.clientY, picture, words };
    picture.setPointerCapture(event.pointerId);
  });
  document.addEventListener("pointermove", (event) => {
    if (swipe && event.pointerId === swipe.id) draw(event.clientX - swipe.x, event.clientY - swipe.y);
  });
  document.addEventListener("pointerup", (event) => {
    if (!swipe || event.pointerId !== swipe.id) return;
    const [x, y] = [event.clientX - swipe.x, event.clientY - swipe.y];
    const side = sideOf(x, y);
    const button = side && Math.abs(side === "up" ? y : x) >= FAR ? buttonOf(side) : null;
    end(Boolean(button));
    button?.click();
  });
  document.addEventListener("pointercancel", () => end(false));
  document.addEventListener("htmx:afterRequest", () => {
    // Refused, or not sent: the same card is still there.
    for (const picture of document.querySelectorAll(PICTURES)) { picture.style.translate = ""; picture.style.rotate = ""; }
  });
})();
