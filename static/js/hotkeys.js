// Single keys for what has a button: data-hotkey names the keys, the button does the work. And arrow keys in a list of
// names. Nothing here knows what a key means: the markup says so.
(() => {
  const STORE = "facevault-hotkeys";
  const shown = (element) => !element.disabled && element.getClientRects().length > 0;
  const options = () => [...document.querySelectorAll("#names [role=option]")].filter(shown);
  // Typing is faster than the list: one that was drawn for other letters offers nobody.
  const offered = (field) => (document.getElementById("name-options").dataset.typed === field.value ? options() : []);
  const isOn = () => localStorage.getItem(STORE) !== "off";

  const meantBy = (key) => [...document.querySelectorAll("[data-hotkey]")].find((element) => element.dataset.hotkey.split(" ").includes(key) && shown(element));
  // The key of a field that was asked for while a card was on its way: letters typed into nothing would be verdicts.
  let awaited = "";

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
    else if (event.key === "Enter" && event.shiftKey) field.form.querySelector("[data-create]").click();
    else if (event.key === "Enter" && at >= 0) all[at].click();
    else if (event.key === "Escape") { close(field); field.blur(); }
    else return;
    event.preventDefault();
  };

  document.addEventListener("keydown", (event) => {
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = event.target;
    if (at.matches?.("[data-combobox]")) return inList(event, at);
    if (!isOn() || at.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    if (event.key === "Enter" && at.closest?.("a, button, summary")) return;
    const meant = meantBy(event.key);
    if (!meant) return;
    event.preventDefault();
    // A decision is under way and the card is about to change: what comes next is a field, or nothing.
    if (document.querySelector(".htmx-request")) { if (meant.matches("input")) awaited = event.key; return; }
    if ("notice" in meant.dataset) document.getElementById("said").replaceChildren(Object.assign(document.createElement("span"), { textContent: meant.textContent }));
    else if (meant.matches("input")) meant.focus();
    else meant.click();
  });

  document.addEventListener("input", ({ target }) => { if (target.matches("[data-combobox]")) mark(target, null); });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-hotkeys-switch]")) localStorage.setItem(STORE, event.target.checked ? "on" : "off");
  });
  document.addEventListener("htmx:afterRequest", () => { if (awaited) meantBy(awaited)?.focus(); awaited = ""; });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "names") document.querySelector("[data-combobox]").setAttribute("aria-expanded", String(options().length > 0));
  });
  for (const box of document.querySelectorAll("[data-hotkeys-switch]")) box.checked = isOn();
})();
