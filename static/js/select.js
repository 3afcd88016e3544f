// Many boxes at once: a button for all of them, Shift for a range, and how many are chosen. Without it each box still works.
(() => {
  const form = document.querySelector("[data-select]");
  if (!form) return;
  const boxes = () => [...form.querySelectorAll("input[name=face]")];
  const told = form.querySelector("[data-selected]");
  const none = told.textContent;
  let last = null;

  const tell = () => { const count = boxes().filter((box) => box.checked).length; told.textContent = count ? `${count} selected` : none; };
  const toggle = (some) => { const all = some.every((box) => box.checked); for (const box of some) box.checked = !all; tell(); };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-select-all]");
    if (button) return toggle([...button.closest("[data-faces], form").querySelectorAll("input[name=face]")]);
    if (!event.target.matches("input[name=face]")) return;
    const all = boxes();
    if (event.shiftKey && last) {
      const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
      for (const box of all.slice(from, to + 1)) box.checked = event.target.checked;
    }
    last = event.target;
    tell();
  });
  // Enter would send the form before a button was chosen.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input[name=face]")) return;
    event.preventDefault();
    event.target.click();
  });
  tell();
})();
