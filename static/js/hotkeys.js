// Single keys for what has a button: data-hotkey names the usual keys, the button does the work, and an account may press
// others (data-keys of the body). And arrow keys in a list of names. Nothing here knows what a key means: the markup says so.
(() => {
  const AGAIN = 2000;
  const own = JSON.parse(document.body.dataset.keys || "{}");
  const usual = Object.fromEntries(Object.entries(own).map(([key, pressed]) => [pressed, key]));
  const shown = (element) => !element.disabled && element.getClientRects().length > 0;
  const options = () => [...document.querySelectorAll("#names [role=option]")].filter(shown);
  // Typing is faster than the list: one that was drawn for other letters offers nobody.
  const offered = (field) => (document.getElementById("name-options").dataset.typed === field.value ? options() : []);
  const isOn = () => document.body.dataset.singleKeys !== "off";

  const keysOf = (element) => element.dataset.hotkey.split(" ");
  const meantBy = (key) => [...document.querySelectorAll("[data-hotkey]")].find((element) => keysOf(element).includes(key) && shown(element));
  // Of a key that was moved, the place it had means nothing.
  const translated = (key) => usual[key] ?? (key in own ? "" : key);
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey) return `Ctrl+${event.shiftKey ? "Shift+" : ""}${event.key.toLowerCase()}`;
    return event.key === " " ? "Space" : translated(event.key);
  };
  // The key of a field that was asked for while a card was on its way: letters typed into nothing would be verdicts.
  let awaited = "";
  // The notice that was shown instead of a decision, and when.
  let noticed = { notice: null, at: 0 };

  // What a button shows and tells a screen reader is the key that works.
  const tell = (root) => {
    for (const element of root.querySelectorAll("[data-hotkey]:not([data-notice])")) {
      const working = keysOf(element).filter((key) => isOn() || key.startsWith("Ctrl+")).map((key) => (own[key] ?? key).replace("Ctrl+", "Control+"));
      if (working.length && !element.matches("label")) element.setAttribute("aria-keyshortcuts", working.join(" "));
      else element.removeAttribute("aria-keyshortcuts");
      const beside = element.nextElementSibling?.matches("kbd") ? [element.nextElementSibling] : [];
      for (const kbd of [...element.querySelectorAll("kbd"), ...beside]) {
        kbd.dataset.usual ??= kbd.textContent;
        kbd.textContent = own[kbd.dataset.usual] ?? kbd.dataset.usual;
      }
    }
  };

  const mark = (field, chosen) => {
    for (const option of options()) option.setAttribute("aria-selected", String(option === chosen));
    if (chosen) field.setAttribute("aria-activedescendant", chosen.id);
    else field.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  };

  const close = (field) => {
    for (const part of document.querySelectorAll("#names .choice, #names .hint")) part.remove();
    field.setAttribute("aria-expanded", "false");
    mark(field, null);
  };

  const inList = (event, field) => {
    const all = offered(field);
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(field, all[Math.min(at + 1, all.length - 1)]);
    else if (event.key === "ArrowUp") mark(field, all[at - 1]);
    else if (event.key === "Enter" && event.shiftKey) field.form.querySelector("[data-create]")?.click();
    else if (event.key === "Enter" && at >= 0) all[at].click();
    else if (event.key === "Escape") { close(field); field.blur(); }
    else return;
    event.preventDefault();
  };

  const say = (text) => document.getElementById("said")?.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));

  // A notice stands where a key does nothing. With data-again it names the key that a second press soon after means.
  const insist = (notice) => {
    const forced = notice.dataset.again && noticed.notice === notice && Date.now() - noticed.at < AGAIN && meantBy(notice.dataset.again);
    noticed = { notice, at: forced ? 0 : Date.now() };
    if (forced) forced.click();
    else say(notice.textContent.trim() + (notice.dataset.again ? " Press again to take the first all the same." : ""));
  };

  document.addEventListener("keydown", (event) => {
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (event.altKey || event.isComposing) return;
    const at = event.target;
    const key = pressed(event);
    if (at.matches?.("[data-combobox]") && !key.startsWith("Ctrl+")) return inList(event, at);
    if (!(isOn() || key.startsWith("Ctrl+")) || at.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    if ((key === "Enter" || key === "Space") && at.closest?.("a, button, summary")) return;
    if (key === "Space" && at.matches?.("input")) return;
    const meant = key && meantBy(key);
    if (!meant) return;
    event.preventDefault();
    // A decision is under way and the card is about to change: what comes next is a field, or nothing.
    if (document.querySelector(".htmx-request:not([data-hotkeys-switch])")) { if (meant.matches("input")) awaited = key; return; }
    if ("notice" in meant.dataset) insist(meant);
    else if (meant.matches("input")) meant.focus();
    else meant.click();
  });

  document.addEventListener("input", ({ target }) => { if (target.matches("[data-combobox]")) mark(target, null); });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-hotkeys-switch]")) return;
    document.body.dataset.singleKeys = event.target.checked ? "on" : "off";
    tell(document);
  });
  document.addEventListener("htmx:afterRequest", () => { if (awaited) meantBy(awaited)?.focus(); awaited = ""; });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "names") document.querySelector("[data-combobox]").setAttribute("aria-expanded", String(options().length > 0));
  });
  for (const swapped of ["htmx:afterSwap", "htmx:oobAfterSwap"]) document.addEventListener(swapped, () => tell(document));
  // A page from the browser's memory may have been left with another answer.
  window.addEventListener("pageshow", () => { for (const box of document.querySelectorAll("[data-hotkeys-switch]")) box.checked = isOn(); });
  tell(document);
})();
