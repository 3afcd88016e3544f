// Sends dropped or chosen files in small batches, with progress and retries. Without it the form works by itself.
(() => {
  "use strict";
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const BATCH_FILES = 20, BATCH_BYTES = 100 * 1024 * 1024, RETRY_WAITS = [1000, 3000, 9000];
  const CLUTTER = /^(\..*|Thumbs\.db|desktop\.ini)$/i;

  const part = (name) => document.querySelector(`[data-upload-${name}]`);
  const [drop, sending, status, detail, bar] = ["drop", "sending", "status", "detail", "bar"].map(part);
  const input = form.querySelector("input[type=file]");
  const results = document.getElementById("upload-results");
  const lines = part("lines"), again = part("again");
  const counts = { added: 0, duplicate: 0, refused: 0 };
  let queue = [], failed = [], running = false;
  let filesTotal = 0, filesDone = 0, bytesTotal = 0, bytesDone = 0;

  form.classList.add("live");
  const take = () => { enqueue([...input.files]); input.value = ""; };
  input.addEventListener("change", take);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", (event) => { if (!drop.contains(event.relatedTarget)) drop.classList.remove("over"); });
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    // Entries must be taken before the first await: the browser empties the transfer after this turn.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    const plain = [...event.dataTransfer.files];
    enqueue(entries.length ? (await Promise.all(entries.map(filesOf))).flat() : plain);
  });
  // A photo that misses the target must not replace the page, and with it the upload.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  window.addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
  again.addEventListener("click", () => {
    const files = failed.flat();
    failed = [];
    again.hidden = true;
    lines.querySelectorAll(".failed").forEach((line) => line.remove());
    enqueue(files);
  });

  async function filesOf(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader(), found = [];
    // A reader hands out at most 100 entries at a time.
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;) found.push(...some);
    return (await Promise.all(found.map(filesOf))).flat();
  }

  function enqueue(files) {
    const wanted = files.filter((file) => !CLUTTER.test(file.name));
    if (!wanted.length) return;
    queue.push(...wanted);
    filesTotal += wanted.length;
    bytesTotal += wanted.reduce((sum, file) => sum + file.size, 0);
    if (!running) run();
  }

  function takeBatch() {
    const batch = [];
    for (let bytes = 0; queue.length && batch.length < BATCH_FILES; ) {
      bytes += queue[0].size;
      if (batch.length && bytes > BATCH_BYTES) break;
      batch.push(queue.shift());
    }
    return batch;
  }

  async function run() {
    running = true;
    sending.hidden = results.hidden = false;
    while (queue.length) {
      const batch = takeBatch(), size = batch.reduce((sum, file) => sum + file.size, 0);
      show(0);
      const { problem, final } = await sendWithRetries(batch);
      bytesDone += size;
      filesDone += batch.length;
      // Where this page may upload no more, the rest would fail one by one.
      if (problem) list(final ? batch.concat(queue.splice(0)) : batch, problem);
      else if (window.htmx) htmx.ajax("GET", form.dataset.progressUrl, { target: "#event-progress", swap: "outerHTML" });
    }
    running = false;
    const lost = failed.flat().length;
    status.textContent = lost ? `${lost} of ${filesTotal} files did not arrive` : `All ${filesTotal} files are sent`;
    detail.textContent = lost ? "" : megabytes(bytesDone);
    bar.max = bar.value = 1;
    again.hidden = !lost;
    filesTotal = filesDone = bytesTotal = bytesDone = 0;
  }

  async function sendWithRetries(batch) {
    for (let attempt = 0; ; attempt++) {
      const outcome = await send(batch);
      if (!outcome.passing || attempt === RETRY_WAITS.length) return outcome;
      status.textContent = `The connection failed; trying again (${attempt + 1} of ${RETRY_WAITS.length})`;
      await new Promise((resolve) => setTimeout(resolve, RETRY_WAITS[attempt]));
    }
  }

  function send(batch) {
    const data = new FormData();
    for (const file of batch) data.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", location.pathname);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.upload.addEventListener("progress", (event) => show(event.loaded));
    return new Promise((resolve) => {
      request.addEventListener("load", () => resolve(read(request)));
      for (const name of ["error", "abort", "timeout"]) {
        request.addEventListener(name, () => resolve({ problem: "The server could not be reached, or the file changed meanwhile.", passing: true }));
      }
      request.send(data);
    });
  }

  function read(request) {
    if (request.getResponseHeader("HX-Redirect")) return { problem: "Your session ended. Sign in again and drop this file once more.", final: true };
    if (request.status === 403) return { problem: "This page may upload no more. Reload it and drop this file once more.", final: true };
    if (request.status === 413) return { problem: "The server refuses uploads of this size." };
    const found = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("upload-results");
    if (request.status !== 200 || !found) {
      // A server that restarts or has its hands full may take the files in a moment; one that broke on them breaks again.
      const passing = [408, 429, 502, 503, 504].includes(request.status);
      return { problem: `The server answered with an error (${request.status}).`, passing };
    }
    for (const name of Object.keys(counts)) {
      counts[name] += Number(found.dataset[name]);
      results.querySelector(`[data-count=${name}]`).textContent = counts[name].toLocaleString("en-US");
    }
    lines.append(...found.querySelectorAll("[data-upload-lines] > li"));
    lines.before(...found.querySelectorAll("[data-upload-video]"));
    return {};
  }

  function list(batch, problem) {
    failed.push(batch);
    for (const file of batch) {
      const line = document.createElement("li"), name = document.createElement("b"), reason = document.createElement("span");
      line.className = "failed";
      name.textContent = file.name;
      reason.className = "hint";
      reason.textContent = problem;
      line.append(name, reason);
      lines.append(line);
    }
  }

  function show(loaded) {
    const sent = Math.min(bytesDone + loaded, bytesTotal);
    status.textContent = `${filesDone.toLocaleString("en-US")} of ${filesTotal.toLocaleString("en-US")} files sent`;
    detail.textContent = `${megabytes(sent)} of ${megabytes(bytesTotal)}`;
    bar.max = bytesTotal || 1;
    bar.value = sent;
  }

  function megabytes(bytes) {
    return `${(bytes / 1024 ** 2).toLocaleString("en-US", { maximumFractionDigits: 1 })} MB`;
  }

  // On a slow line somebody chooses before this script is there to be told.
  if (input.files.length) take();
})();
