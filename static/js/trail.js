// The cards that were open in this tab, in order: back to the one before and on again, without deciding anything.
// Where the trail ends, the queue says what comes behind the card.
(() => {
  const STORE = "facevault-trail";
  const LONGEST = 50;
  const read = () => JSON.parse(sessionStorage.getItem(STORE) || '{"cards": [], "at": -1}');
  const write = (trail) => sessionStorage.setItem(STORE, JSON.stringify(trail));
  const here = () => location.pathname + location.search;
  const card = () => document.getElementById("desk")?.dataset.card;

  const arrive = () => {
    if (!card()) return;
    const { cards, at } = read();
    if (cards[at] === here()) return;
    const known = cards.lastIndexOf(here());
    if (known >= 0) return write({ cards, at: known });
    // Whoever went back and decides there goes on from there.
    const walked = [...cards.slice(0, at + 1), here()].slice(-LONGEST);
    write({ cards: walked, at: walked.length - 1 });
  };

  const behind = (link) => {
    const address = new URL(link.href);
    for (const [name, value] of new URLSearchParams(location.search)) if (name === "event" || name === "queue") address.searchParams.set(name, value);
    if (card()) address.searchParams.set("after", card());
    return address.pathname + address.search;
  };

  document.addEventListener("click", (event) => {
    const step = event.target.closest?.("[data-trail]");
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { cards, at } = read();
    const back = step.dataset.trail === "previous";
    const to = cards[at + (back ? -1 : 1)] ?? (back ? "" : behind(step));
    if (to) htmx.ajax("GET", to, { source: "#desk", target: "#desk", swap: "outerHTML show:window:top" });
  });
  // The tab keeps nobody's trail: it goes with whoever signs out.
  document.addEventListener("submit", (event) => { if (event.target.matches("form[action$='/logout/']")) sessionStorage.removeItem(STORE); });
  document.addEventListener("htmx:afterSettle", arrive);
  arrive();
})();
