// Requests of htmx that brought nothing to draw: say so in a toast.
(() => {
  const SENTENCES = {
    0: "The server cannot be reached. Nothing was saved; try again.",
    403: "You may not do this. Reload the page if you signed in again meanwhile.",
    404: "This is gone: somebody may have removed it. Reload the page.",
    413: "That is too large.",
    429: "Too many requests at once. Wait a moment and try again.",
  };
  const show = (status, xhr) => {
    const toast = document.createElement("p");
    const text = document.createElement("span");
    text.textContent = SENTENCES[status] || "Something went wrong. Nothing was saved; try again.";
    // With this number the administrator finds the request in the log.
    const id = status >= 500 && xhr.getResponseHeader("X-Request-ID");
    if (id) text.textContent += ` Number of this request: ${id}`;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "link";
    close.textContent = "Close";
    close.addEventListener("click", () => toast.remove());
    toast.className = "toast";
    toast.append(text, close);
    document.getElementById("toasts").replaceChildren(toast);
  };
  document.addEventListener("htmx:responseError", (event) => show(event.detail.xhr.status, event.detail.xhr));
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => show(0));
})();
