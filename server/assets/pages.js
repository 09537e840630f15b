// What the pages do beyond HTML: dropping files, showing how far an upload is, following what is being built.
// Every page reads and works without this file; nothing here decides anything.
(() => {
  "use strict";

  /* ---- loading a part of the page again ---- */

  // The address and the place of the part are on the page, because a search changes them. One request at a time, and
  // what was asked for before a search is not put in the place of what it found.
  let busy = false;
  let again = false;
  async function refresh() {
    const part = () => document.querySelector("[data-here]");
    if (!window.htmx || !part()) {
      window.location.reload();
      return;
    }
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      const here = part().dataset.here;
      const answer = await fetch(here, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!answer || !answer.ok || answer.redirected) break;
      const text = await answer.text();
      if (part().dataset.here !== here) again = true;
      else await window.htmx.swap({ text, target: document.querySelector(part().dataset.into), swap: "innerMorph", sourceElement: document.body });
    }
    busy = false;
  }

  /* ---- following what is being built ---- */

  const live = document.querySelector("[data-live]");
  const said = document.getElementById("said");
  let stream = null;
  let asking = 0;

  // Without a stream the page asks by itself, as long as something is in progress.
  function askInstead() {
    if (asking) return;
    asking = window.setInterval(() => {
      if (!document.hidden && document.querySelector(".stage")) refresh();
    }, 2000);
  }

  function follow() {
    if (stream || document.hidden) return;
    if (!window.EventSource) {
      askInstead();
      return;
    }
    stream = new EventSource(live.dataset.live);
    stream.addEventListener("open", () => {
      window.clearInterval(asking);
      asking = 0;
    });
    stream.addEventListener("changed", refresh);
    stream.addEventListener("stage", (event) => {
      const { version, html } = JSON.parse(event.data);
      const place = document.getElementById(`s-${version}`);
      if (place) place.innerHTML = html;
    });
    stream.addEventListener("said", (event) => {
      if (said) said.textContent = event.data;
    });
    // The browser tries again by itself, unless the answer was no stream at all; either way nobody has to wait for it.
    stream.addEventListener("error", () => {
      askInstead();
      if (stream && stream.readyState === EventSource.CLOSED) {
        stream = null;
        window.setTimeout(follow, 10000);
      }
    });
  }

  function rest() {
    if (stream) stream.close();
    stream = null;
  }

  if (live) {
    follow();
    // A page in the background keeps no connection: a browser has few of them for one server.
    document.addEventListener("visibilitychange", () => (document.hidden ? rest() : follow()));
    window.addEventListener("pagehide", rest);
    window.addEventListener("pageshow", follow);
    window.setInterval(() => {
      for (const clock of document.querySelectorAll("[data-seconds]")) {
        const seconds = Number(clock.dataset.seconds) + 1;
        clock.dataset.seconds = String(seconds);
        if (seconds < 100) clock.textContent = `${seconds} s`;
        else if (seconds < 3600) clock.textContent = `${Math.round(seconds / 60)} min`;
      }
    }, 1000);
  }

  /* ---- sending files ---- */

  const uploadForm = document.getElementById("drop");
  const uploads = document.getElementById("uploads");
  const notices = document.getElementById("notices");

  function notice(tone, text) {
    const box = document.createElement("div");
    box.className = `notice ${tone}`;
    box.textContent = text;
    notices.append(box);
  }

  function sizeOf(bytes) {
    if (bytes < 1024) return `${bytes} B`;
    if (bytes < 1048576) return `${Math.round(bytes / 1024)} KB`;
    return `${(bytes / 1048576).toFixed(1)} MB`;
  }

  // One line per file: its name, how much of it was sent, and what became of it.
  function lineFor(file) {
    const line = document.createElement("li");
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = file.name;
    const state = document.createElement("span");
    state.className = "how";
    state.textContent = `waiting, ${sizeOf(file.size)}`;
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `Sending ${file.name}`);
    line.append(name, state, bar);
    uploads.append(line);
    return {
      sent(loaded, total) {
        bar.value = (100 * loaded) / total;
        state.textContent = `${sizeOf(loaded)} of ${sizeOf(total)}`;
      },
      stored() {
        bar.removeAttribute("value");
        state.textContent = "being stored";
      },
      done() {
        line.remove();
      },
      failed(why) {
        line.className = "bad";
        bar.remove();
        state.textContent = why;
      },
    };
  }

  // fetch() cannot tell how much was sent, so this is the older interface.
  function sendOne(file, line) {
    return new Promise((resolve) => {
      const data = new FormData();
      data.append("files", file, file.name);
      const request = new XMLHttpRequest();
      request.open("POST", uploadForm.action);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) line.sent(event.loaded, event.total);
      });
      request.upload.addEventListener("load", () => line.stored());
      request.addEventListener("load", () => {
        if (request.responseURL.includes("/sign-in")) window.location.assign("/sign-in");
        resolve(request.response || { refused: [`${file.name} was not taken. Reload the page and try again.`] });
      });
      const broken = () => resolve({ refused: [`${file.name}: the connection broke before it had arrived. Send it again.`] });
      request.addEventListener("error", broken);
      request.addEventListener("abort", broken);
      request.send(data);
    });
  }

  let inTurn = Promise.resolve();

  async function sendAll(files) {
    const waiting = files.map((file) => [file, lineFor(file)]);
    let received = 0;
    const unchanged = [];
    for (const [file, line] of waiting) {
      const outcome = await sendOne(file, line);
      const refused = outcome.refused || [];
      received += outcome.received || 0;
      if (outcome.unchanged) unchanged.push(file.name);
      if (refused.length > 0) line.failed(refused.join(" "));
      else line.done();
      refresh();
    }
    if (received > 0) notice("ok", `${received} ${received === 1 ? "file" : "files"} received and being read now.`);
    if (unchanged.length > 0) notice("ok", `${unchanged.join(", ")}: unchanged, so nothing had to be done.`);
  }

  function send(list) {
    const files = [...list];
    if (files.length === 0) return;
    notices.replaceChildren();
    for (const old of uploads.querySelectorAll("li.bad")) old.remove();
    uploadForm.reset();
    inTurn = inTurn.then(() => sendAll(files));
  }

  if (uploadForm) {
    const input = uploadForm.querySelector("input[type=file]");
    input.addEventListener("change", () => send(input.files));
    uploadForm.addEventListener("submit", (event) => {
      event.preventDefault();
      send(input.files);
    });
    // A file dropped anywhere on the page is meant for the list; a browser would otherwise open it and leave.
    let depth = 0;
    const carriesFiles = (event) => event.dataTransfer && event.dataTransfer.types.includes("Files");
    document.addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      uploadForm.classList.add("over");
    });
    document.addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) uploadForm.classList.remove("over");
    });
    document.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      uploadForm.classList.remove("over");
      send(event.dataTransfer.files);
    });
  }

  // One open question at a time, and it closes when attention goes elsewhere.
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.ask[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll("details.ask[open]")) open.open = false;
  });
})();
