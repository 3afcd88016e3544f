// Closing the page hands the card back at once, so that a colleague need not wait for it. The page's own card and no other:
// the next one may be open by the time this arrives.
(() => {
  const form = document.querySelector("[data-leave]");
  if (!form || !navigator.sendBeacon) return;
  window.addEventListener("pagehide", () => {
    const card = document.getElementById("desk")?.dataset.card;
    if (!card) return;
    const data = new FormData(form);
    data.set("card", card);
    navigator.sendBeacon(form.action, data);
  });
})();
