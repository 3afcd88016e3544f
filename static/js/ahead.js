// The next card is fetched while somebody looks at this one, and painted at the key press, before the answer is there; so is
// the card before, when its decision is undone. It only shows: the answer brings the card that can be decided about, and where
// it is another one, that one stands.
(() => {
  const WAIT = 60; // milliseconds: the pictures of this card come first
  let ready = null;
  let wanted = null;
  let before = null;
  const desk = () => document.getElementById("desk");

  const load = async () => {
    const at = desk();
    wanted?.abort();
    ready = null;
    if (!at?.dataset.ahead) return;
    wanted = new AbortController();
    try {
      const answer = await fetch(at.dataset.ahead, { headers: { "HX-Request": "true" }, signal: wanted.signal });
      if (answer.status !== 200 || desk() !== at) return;
      const card = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-card]");
      if (card) ready = { at, card: picture(card) };
    } catch { /* the card comes with the answer, then */ }
  };

  // What is painted ahead answers to nothing: no key, no name, no address, no focus.
  const picture = (card) => {
    for (const form of card.querySelectorAll("form")) {
      const plain = document.createElement("div");
      plain.className = form.className;
      plain.append(...form.childNodes);
      form.replaceWith(plain);
    }
    for (const part of card.querySelectorAll("*")) {
      for (const { name } of [...part.attributes]) if (/^(id|name|form|autofocus|href|for|role|tabindex|hx-|data-|aria-)/.test(name)) part.removeAttribute(name);
    }
    card.className = "ahead";
    card.inert = true;
    card.setAttribute("aria-hidden", "true");
    for (const image of card.querySelectorAll("img")) image.decode?.().catch(() => {});
    return card;
  };

  // Only what is sure to lead on: a verdict, or one of the people offered, about the whole card.
  const leadsOn = ({ elt, requestConfig }) => {
    const pressed = requestConfig?.triggeringEvent?.submitter;
    if (!elt.matches("#desk form.desk") || !pressed) return false;
    if (elt.matches(".list")) {
      const boxes = [...elt.querySelectorAll("input[name=face]:not(:disabled)")];
      if (pressed.value === "reject") return !boxes.some((box) => box.checked);
      return ["skip", "ask"].includes(pressed.value) || (pressed.value === "confirm" && boxes.every((box) => box.checked));
    }
    return (pressed.name === "verdict" || (pressed.name === "person" && pressed.matches(".who"))) && !elt.querySelector("input[name=face]:checked");
  };

  const paint = (card) => {
    for (const part of desk().querySelectorAll(":scope > .desk, :scope > .notice")) part.hidden = true;
    desk().append(card);
    window.scrollTo(0, 0);
  };

  const show = ({ detail }) => {
    const at = desk();
    const undone = detail.elt.id === "undo-last" && before?.undo === detail.elt.getAttribute("action");
    if (undone) paint(before.card);
    if (undone || !at?.dataset.card || !leadsOn(detail)) { before = null; return; }
    const left = document.createElement("div");
    left.dataset.card = at.dataset.card;
    left.append(...[...at.querySelectorAll(":scope > .desk")].map((part) => part.cloneNode(true)));
    before = { card: picture(left), undo: "" };
    if (ready?.at === at) paint(ready.card);
    ready = null;
  };

  // An answer that brought no card: the one that was left stands again.
  const takeBack = () => {
    if (!desk()?.querySelector(":scope > .ahead")) return;
    desk().querySelector(":scope > .ahead").remove();
    for (const part of desk().querySelectorAll(":scope > .desk, :scope > .notice")) part.hidden = false;
  };

  const loadSoon = () => setTimeout(load, WAIT);
  document.addEventListener("htmx:beforeSend", show);
  document.addEventListener("htmx:afterRequest", takeBack);
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.id !== "desk") return;
    if (before && !before.undo) before.undo = document.getElementById("undo-last")?.getAttribute("action") ?? "";
    loadSoon();
  });
  loadSoon();
})();
